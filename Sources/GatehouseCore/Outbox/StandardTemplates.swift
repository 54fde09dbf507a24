/// The texts that there are without anybody writing any: in English, and in Czech.
extension MailTemplate {
  public static let standardLanguages = ["en", "cs"]

  static func standard(_ kind: Mail.Kind, in language: String) -> MailTemplate? {
    switch language {
    case "en": english(kind)
    case "cs": czech(kind)
    default: nil
    }
  }

  static func english(_ kind: Mail.Kind) -> MailTemplate {
    switch kind {
    case .invitation:
      MailTemplate(
        subject: "Your login for {{workspace}}",
        body: """
          Hello {{name}},

          there is a login for you in {{workspace}}. Your username is {{username}}.

          {{message}}
          """)
    case .usernameChanged:
      MailTemplate(
        subject: "Your username in {{workspace}} was changed",
        body: """
          Hello {{name}},

          {{actor}} has changed your username from {{old-username}} to {{new-username}}. From now on log in with the
          new one.
          """)
    case .addressChanged:
      MailTemplate(
        subject: "Your e-mail address in {{workspace}} was changed",
        body: """
          Hello {{name}},

          {{actor}} has changed the e-mail address of {{username}} in {{workspace}}. This one gets no more mails, and a
          password is reset by the new one. If that is not what you want, tell those who administer {{workspace}}.
          """)
    case .timerStopped:
      MailTemplate(
        subject: "Your timer in {{workspace}} was stopped",
        body: """
          Hello {{name}},

          your timer in {{workspace}}, started at {{start}}, was stopped at {{end}} by {{actor}}.
          """)
    case .impersonated:
      MailTemplate(
        subject: "{{actor}} has logged in as you in {{workspace}}",
        body: """
          Hello {{name}},

          at {{start}} {{actor}} has logged in to {{workspace}} as you, until {{end}} at the latest.
          The reason given: {{reason}}
          """)
    case .impersonationReported:
      MailTemplate(
        subject: "{{actor}} has logged in as {{username}} in {{workspace}}",
        body: """
          At {{start}} {{actor}} has logged in to {{workspace}} as {{name}} ({{username}}), until {{end}} at the latest.
          The reason given: {{reason}}
          """)
    case .managedCreated:
      managed(
        "{{name}} is new in {{workspace}}", "{{actor}} has made a login for {{name}} ({{username}}) in {{workspace}}.")
    case .managedStatus:
      managed(
        "{{name}} is {{new-status}} in {{workspace}}",
        "{{actor}} has changed the status of {{name}} ({{username}}) from {{old-status}} to {{new-status}}.")
    case .managedDeleted:
      managed(
        "The login of {{name}} in {{workspace}} was deleted",
        "{{actor}} has deleted the login of {{name}} ({{username}}) in {{workspace}}.")
    case .managedImpersonated:
      managed(
        "{{actor}} has logged in as {{name}} in {{workspace}}",
        "{{actor}} has logged in to {{workspace}} as {{name}} ({{username}}), until {{end}} at the latest.")
    case .managedBooked:
      managed(
        "{{name}} was booked in {{workspace}}: {{record}}", "{{actor}} has booked {{name}} ({{username}}): {{record}}.")
    case .managedUnbooked:
      managed(
        "A booking of {{name}} in {{workspace}} was cancelled: {{record}}",
        "{{actor}} has cancelled a booking of {{name}} ({{username}}): {{record}}.")
    case .passwordGenerated:
      MailTemplate(
        subject: "Your password for {{workspace}}",
        body: """
          Hello {{name}},

          {{actor}} had a password made for you in {{workspace}}. Your username is {{username}}, your password is

          {{secret}}

          Change it when you log in.
          """)
    case .passwordReset:
      MailTemplate(
        subject: "Set a new password for {{workspace}}",
        body: """
          Hello {{name}},

          somebody has asked for a new password for {{username}} in {{workspace}}. If it was you, set it with this
          code, until {{end}}:

          {{secret}}

          If it was not you, there is nothing to do. Your password stays as it is.
          """)
    }
  }

  private static func czech(_ kind: Mail.Kind) -> MailTemplate {
    switch kind {
    case .invitation:
      MailTemplate(
        subject: "Vaše přihlášení do {{workspace}}",
        body: """
          Dobrý den, {{name}},

          v {{workspace}} máte nový účet. Vaše uživatelské jméno je {{username}}.

          {{message}}
          """)
    case .usernameChanged:
      MailTemplate(
        subject: "Vaše uživatelské jméno v {{workspace}} se změnilo",
        body: """
          Dobrý den, {{name}},

          {{actor}} změnil(a) Vaše uživatelské jméno z {{old-username}} na {{new-username}}. Od teď se přihlašujte
          tím novým.
          """)
    case .addressChanged:
      MailTemplate(
        subject: "Vaše e-mailová adresa v {{workspace}} se změnila",
        body: """
          Dobrý den, {{name}},

          {{actor}} změnil(a) e-mailovou adresu uživatele {{username}} v {{workspace}}. Na tuto adresu už nic nepřijde
          a heslo se obnovuje pomocí té nové. Pokud si to nepřejete, dejte vědět správcům {{workspace}}.
          """)
    case .timerStopped:
      MailTemplate(
        subject: "Vaše měření času v {{workspace}} bylo zastaveno",
        body: """
          Dobrý den, {{name}},

          Vaše měření času v {{workspace}}, spuštěné {{start}}, zastavil(a) {{end}} {{actor}}.
          """)
    case .impersonated:
      MailTemplate(
        subject: "{{actor}} se za Vás přihlásil(a) do {{workspace}}",
        body: """
          Dobrý den, {{name}},

          {{start}} se {{actor}} přihlásil(a) do {{workspace}} za Vás, nejdéle do {{end}}.
          Uvedený důvod: {{reason}}
          """)
    case .impersonationReported:
      MailTemplate(
        subject: "{{actor}} se přihlásil(a) do {{workspace}} za {{username}}",
        body: """
          {{start}} se {{actor}} přihlásil(a) do {{workspace}} za {{name}} ({{username}}), nejdéle do {{end}}.
          Uvedený důvod: {{reason}}
          """)
    case .managedCreated:
      czechManaged(
        "{{name}}: nový účet v {{workspace}}",
        "{{actor}} založil(a) přihlášení pro: {{name}} ({{username}}), v {{workspace}}.")
    case .managedStatus:
      czechManaged(
        "{{name}}: změna stavu v {{workspace}} na {{new-status}}",
        "{{actor}} změnil(a) stav: {{name}} ({{username}}), z {{old-status}} na {{new-status}}.")
    case .managedDeleted:
      czechManaged(
        "{{name}}: přihlášení v {{workspace}} bylo zrušeno",
        "{{actor}} zrušil(a) přihlášení: {{name}} ({{username}}), v {{workspace}}.")
    case .managedImpersonated:
      czechManaged(
        "{{actor}} se přihlásil(a) do {{workspace}} za: {{name}}",
        "{{actor}} se přihlásil(a) do {{workspace}} za: {{name}} ({{username}}), nejdéle do {{end}}.")
    case .managedBooked:
      czechManaged(
        "{{name}}: rezervace v {{workspace}}, {{record}}",
        "{{actor}} vytvořil(a) rezervaci: {{name}} ({{username}}), {{record}}.")
    case .managedUnbooked:
      czechManaged(
        "{{name}}: zrušená rezervace v {{workspace}}, {{record}}",
        "{{actor}} zrušil(a) rezervaci: {{name}} ({{username}}), {{record}}.")
    case .passwordGenerated:
      MailTemplate(
        subject: "Vaše heslo do {{workspace}}",
        body: """
          Dobrý den, {{name}},

          {{actor}} pro Vás nechal(a) vytvořit heslo do {{workspace}}. Vaše uživatelské jméno je {{username}},
          heslo je

          {{secret}}

          Při přihlášení si je změňte.
          """)
    case .passwordReset:
      MailTemplate(
        subject: "Nové heslo do {{workspace}}",
        body: """
          Dobrý den, {{name}},

          někdo požádal o nové heslo pro {{username}} v {{workspace}}. Pokud jste to byl(a) Vy, nastavte si je tímto
          kódem, do {{end}}:

          {{secret}}

          Pokud ne, nemusíte nic dělat. Vaše heslo zůstává beze změny.
          """)
    }
  }

  /// A notice to who manages somebody (L9).
  private static func managed(_ subject: String, _ what: String) -> MailTemplate {
    MailTemplate(
      subject: subject, body: "Hello {{manager}},\n\n\(what)\n\nYou get this because you manage {{name}} there.")
  }

  private static func czechManaged(_ subject: String, _ what: String) -> MailTemplate {
    MailTemplate(
      subject: subject, body: "Dobrý den, {{manager}},\n\n\(what)\n\nPíšeme Vám, protože tuto osobu máte na starosti.")
  }
}
