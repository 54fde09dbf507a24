/// Hashes that other systems have made of one password.
///
/// Made once by the programs that are named: bcrypt 4.0.1 (`hashpw`), argon2-cffi 25.1 (`PasswordHasher`), passlib 1.7.4
/// (`using(rounds=…).hash`), Django 5.2 (`encode` of its hashers), hashlib's `pbkdf2_hmac` for the form of PHC, and
/// `crypt_gensalt` with `crypt` of libxcrypt 4.4.
package enum HashSamples {
  package static let password = "Zoës three grey geese"

  /// 43 letters, as long as a digest of scrypt.
  package static let letters = String(repeating: "x", count: 43)

  /// Of "Zoës three grey geese" with the letter and its dots as two characters, which `all` has as one.
  package static let decomposed = [
    "$2b$05$abcdefghijklmnopqrstuuKZrc/pGAafWYObgw0b3SIb2vM/TkGQS",
    "$6$rounds=1000$saltsalt$pfPGXVmHoZ2Pa3Jroj68fML1MTfOCpaUyJZFqTpCtZVUETjTa.RsXBnrzSeBQOkMeKbCPNf5LqaPqA36fzGMs/",
    "pbkdf2_sha256$1000$salt$mHudjx8gS8MoZ4tyEoZ8iPjNtnN1pwXi2LmcWhLlxAQ=",
  ]

  /// Of "three grey geese " five times, which has more than the 72 bytes that bcrypt takes.
  package static let longBcrypt = "$2b$04$abcdefghijklmnopqrstuuIgvPKQ6.rV60pG3zhMVkzw5did3TTq."

  package static let all: [(name: String, text: String)] = [
    ("bcrypt $2a$", "$2a$05$AOgFO/HVCzkhBDMpN0FbXO5KTgiFhEqNdPwQNJCLaRFe87Bq1MCfK"),
    ("bcrypt $2b$", "$2b$05$BaFNeZN2d5OIApzrMHjGeemyBq0YifX8MyG/Pe43tRg0FhubF.YMK"),
    ("bcrypt $2y$", "$2y$05$dx8/AC5.gcNxket/gTugguhIntTHktgEPJqrlxoL1sPXqRgnOmmGW"),
    (
      "argon2-cffi D",
      "$argon2d$v=19$m=1024,t=2,p=2$3Ofs7kJDXJL6IsRfv1NzZg$aeiGt+H7v+kLzgr5Ay3UhmbgFBl+yDeWp0uW/4X7b5M"
    ),
    (
      "argon2-cffi I",
      "$argon2i$v=19$m=1024,t=2,p=2$B5A6nCKN/mvziz+m5AThzQ$udqBlvmCQz83740QXeMKUXU6cqeEAgqXsUzbbAbLkE0"
    ),
    (
      "argon2-cffi ID",
      "$argon2id$v=19$m=1024,t=2,p=2$jxeHOZ/TmzpL/LH+aNEbsA$i4kBAhqz98/awT9Zw/n00Dfnj5SY2xaYYfglUZ+CGwc"
    ),
    (
      "argon2-cffi default",
      "$argon2id$v=19$m=65536,t=3,p=4$xDZINmQdDF3+xik1TXLPdA$9bSEnFcMtjv3+Guh4f6INb9aeAhlaZvsnzwDfE9PEPU"
    ),
    ("passlib pbkdf2_sha256", "$pbkdf2-sha256$1000$p/S.FwLAGOPcW.u915ozJg$mTMsnQyuGN/PQqbhvtXpjyhUBP8TSsZp/gm4/HL/2MM"),
    (
      "passlib pbkdf2_sha512",
      "$pbkdf2-sha512$1000$6d17710rJaSUMgaglFLKWQ$ajDNwTKejTLdjmgwmVDbr"
        + "kxj1ugLHCuHTthByYaS9A7Bl71ZlIpI2VdCwmHoUSqpPcF8EGRyERVbApt6Scv1eQ"
    ),
    ("passlib pbkdf2_sha1", "$pbkdf2$1000$uBdCCAGAsHaOEQKAkDImhA$y4cj8LlKVm5qfAPIbI4OOOnMAgU"),
    ("passlib scrypt", "$scrypt$ln=8,r=8,p=1$qLX2/l8rZQzBmNPae4/RGg$A0t6jKBFUHLiRN4mjE3RIkD/AScE1rCGDtEArMrj02I"),
    (
      "passlib sha512_crypt",
      "$6$qAS4gceERRI2uSw6$yW8ZGRIuiqDkEoAILld68Pah/S0M73A/RCsca0U8yKkGFoZIgjBHrAPaYQ6872fecaielMFrR0z1o3ASGVqFA/"
    ),
    (
      "passlib sha512_crypt rounds",
      "$6$rounds=1234$Lj0MepANmLh9tf0r$ofAUdCoqY.FhPSlaloESMAHLUbX"
        + "GCFvzjUysX1UnbMJFY4qQxNDT2kYu5nwou14uFikSmX6wu.F7RAxm7K0cD0"
    ),
    ("passlib sha256_crypt", "$5$rounds=2000$bV4ddxv3Q4skQ7Mt$pAh.tn9wTl513Gw0hthQLC9sgLb9.2sd9BOXJgEA/R6"),
    ("Django pbkdf2_sha256", "pbkdf2_sha256$1000$someDjangoSalt$HNUi5WQpWaGOFwOrRhl0n5w5uHgqOGOZH00ozX8PN4o="),
    ("Django pbkdf2_sha1", "pbkdf2_sha1$1000$someDjangoSalt$2q+XFIg5Ewf3h+nrJMibgrSZJPs="),
    ("PHC pbkdf2", "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRvZjE2Ynl0ZQ$WgrA6GZqeZbh/7uIWybtlNGPjIUWBoSFCQur5dgfGd8"),
    ("libxcrypt $y$ 1", "$y$j75$m3PpcUPbKU6aEnoDdbRf9/$Bjec0p6kPlBn.ysUnQf7BCTNfQufWOx2gNAob2AhGE2"),
    ("libxcrypt $y$ 5", "$y$j9T$sC3XhPv3VBxbg6W/aOxjU/$Pwq4MPZ/aOVtlAXQX6CVQwXaE9hp.Y87Di6rpXV4XyB"),
    ("libxcrypt $7$ 6", "$7$BU..../....3VbVAwHMOkJCF8MaC/8Xn0$FYWpjzG0aYNvp0J5kJ2Iobhm9QCbQdJ9r6oZBaEJuM4"),
  ]
}
