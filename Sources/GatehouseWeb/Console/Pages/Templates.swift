import Mustache

/// The templates in `Resources`, parsed once. Everything a template shows is escaped by `HTMLText`; none of them contains
/// `{{{`.
enum Templates {
  private static let library: MustacheLibrary = {
    HTMLText.register()
    do {
      // Each of them, because a template that another one shows begins with the library's own escaping.
      return MustacheLibrary(
        templates: try sources.mapValues {
          try MustacheTemplate(string: HTMLText.pragma + String(decoding: $0, as: UTF8.self))
        })
    } catch {
      preconditionFailure("a template of the console cannot be parsed: \(error)")
    }
  }()

  /// By the names that blocks and templates call them.
  static let sources: [String: [UInt8]] = [
    "page": PackageResources.page_mustache,
    "outside": PackageResources.outside_mustache,
    "blocks": PackageResources.blocks_mustache,
    "cells": PackageResources.cells_mustache,
    "section": PackageResources.section_mustache,
    "columns": PackageResources.columns_mustache,
    "text": PackageResources.text_mustache,
    "notice": PackageResources.notice_mustache,
    "facts": PackageResources.facts_mustache,
    "table": PackageResources.table_mustache,
    "form": PackageResources.form_mustache,
    "seal": PackageResources.seal_mustache,
    "fields": PackageResources.fields_mustache,
    "buttons": PackageResources.buttons_mustache,
    "links": PackageResources.links_mustache,
    "empty": PackageResources.empty_mustache,
    "code": PackageResources.code_mustache,
    "qr": PackageResources.qr_mustache,
    "timeline": PackageResources.timeline_mustache,
  ]

  static func render(_ values: Values, with name: String) -> String {
    guard let text = library.render(values, withTemplate: name) else {
      preconditionFailure("there is no template \(name)")
    }
    return text
  }
}
