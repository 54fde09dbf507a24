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
    }
  }
}
