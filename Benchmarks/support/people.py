"""People as a company's directory has them, for what depends on names: searching, listing and counting.

The same seed gives the same people. Names are as unevenly common as real ones: the commonest surname has one person in
forty, and half of all people share the first hundred.
"""

import itertools
import random
import unicodedata
from dataclasses import dataclass

FIRST = """Ana John Mary José Wei Mohammed Anna Peter Maria Michael Sarah David Li Elena Thomas Emma Łukasz Sophie Ivan
Fatima Daniel Laura Jan Zoë Nils Marta Paul Julia Andreas Chloé Omar Eva Martin Ingrid Björn Carmen Lucas Nina Ahmed
Olga Pavel Katarína Hugo Rosa Samir Tereza Yusuf Zuzana Amélie Bruno Clara Emil Frieda Jürgen Sinéad Søren Håkon
Anne-Marie Jean-Luc Mária Noé Renée Siobhán Vít Wanda Xenia Aarav Priya Hiroshi Yuki Min-Jun Nguyễn Thảo Kwame Amara
Dmitri Νίκος Ólafur Þór Ægir İpek Čeněk Đorđe Ramón Iñigo Agnès Zdeněk""".split()
LAST = """Smith García Müller Novák Li Nguyen Silva Johnson Kowalski Ivanov Rossi Jensen Patel Kim Martin Lopez Brown
Weber Dubois Andersen Fernández Nováková Wagner Horvat Tanaka Cohen O'Brien Becker Schmidt Moreau Dvořák Larsen Costa
Petrov Yılmaz Łuczak Håkansson Sørensen Kovács Popescu Papadopoulos Ferrari Santos Almeida Fischer Eriksson Lehmann
Virtanen Zeman Brandt Černý Duarte Esposito Fontaine Quintero Urban Xu McDonald Van Dijk-Bakker""".split()
SYLLABLES = "ba ber da del fa gar hol in ja kar lin ma nor o pel qua ros sal ta ul ven wal xo yer zan".split()
COMPANIES = 300


@dataclass
class Person:
    number: int
    first: str
    middle: str
    last: str
    username: str
    email: str
    workspace: str
    # One in a hundred is locked, and one in twenty is a manager of courses besides.
    status: str
    role: str
    account: int


def folded(text):
    """Without case and accents, as people type."""
    plain = {"ł": "l", "ø": "o", "đ": "d", "þ": "th", "æ": "ae", "ı": "i"}
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(plain.get(letter, letter) for letter in decomposed if not unicodedata.combining(letter))


def people(count, seed=1):
    """The people, one at a time."""
    dice = random.Random(seed)
    first_weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(FIRST))))
    # After the common surnames come twenty thousand rare ones.
    last = LAST + sorted({"".join(dice.choices(SYLLABLES, k=dice.choice((2, 3, 3, 4)))).capitalize()
                          for _ in range(20_000)})
    last_weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(last))))
    ascii_form = {name: folded(name).replace("'", "") for name in FIRST + last}
    taken = {}
    for start in range(0, count, 10_000):
        size = min(10_000, count - start)
        firsts = dice.choices(FIRST, cum_weights=first_weights, k=size)
        lasts = dice.choices(last, cum_weights=last_weights, k=size)
        for offset in range(size):
            number, first, surname = start + offset, firsts[offset], lasts[offset]
            name = f"{ascii_form[first]}.{ascii_form[surname]}"
            taken[name] = taken.get(name, 0) + 1
            if taken[name] > 1:
                name += str(taken[name])
            yield Person(
                number=number, first=first, middle=FIRST[number % len(FIRST)] if number % 20 == 7 else "", last=surname,
                username=name, email=f"{name}@company{number % COMPANIES}.test",
                workspace="tiny" if number % 10_000 == 77 else "acme" if number % 100 == 3 else "main",
                status="locked" if number % 100 == 50 else "active",
                role="training-administrator" if number % 20 == 0 else "individual",
                account=number % 200)
