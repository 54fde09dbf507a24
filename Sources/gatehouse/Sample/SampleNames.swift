/// Names, departments and projects of the sample company.
enum SampleNames {
  static let first = words(
    """
    Ada Aisha Akira Amara Anders Anouk Arjun Beatriz Björn Bruno Camille Carlos Chen Chloé Daniel Divya Elena Elif Emeka
    Emma Farid Fatima Felix Freya Gabriel Giulia Hana Hugo Ines Ivan Jamal Jana Jonas José Julia Kai Kofi Lars Layla Lena
    Liam Lucía Malik Mara Marek Mei Mina Nadia Niko Noor Olga Oscar Paula Petra Priya Rafael Rosa Sofia Tariq Yuki
    """)

  static let last = words(
    """
    Abe Adeyemi Almeida Andersson Bakker Bauer Bianchi Bose Castillo Chen Costa Dubois Eriksen Fischer Fofana García
    Haddad Hansen Hoffmann Ito Jansen Johnson Kaya Khan Kowalski Kumar Larsen Lefèvre Lopez Martin Mensah Meyer Moreau
    Müller Nakamura Nguyen Novak Okafor Olsen Park Patel Pereira Petrov Popescu Reyes Ricci Rossi Sato Schmidt Silva
    Singh Smith Suzuki Svensson Tanaka Torres Varga Weber Yilmaz Zhang
    """)

  static let departments = ["Engineering", "Finance", "Operations", "People", "Sales", "Support", "Training"]

  static let projects = ["Audit", "Helpdesk", "Induction", "Invoicing", "Migration", "Onboarding", "Refit"]

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// `Björn` in letters that everybody can type, for a username.
  static func plain(_ name: String) -> String {
    let plain: [Character: String] = [
      "á": "a", "ä": "a", "ö": "o", "ó": "o", "ü": "u", "è": "e", "é": "e", "í": "i", "ø": "o",
    ]
    return name.lowercased().map { plain[$0] ?? String($0) }.joined()
  }
}
