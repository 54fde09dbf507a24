import Testing

@testable import GatehouseCore

/// How tables are shared out among workspaces.
@Suite struct TableLimitTests {
  @Test("W4: a workspace has its share, and its first ones whatever the others have") func shares() {
    let limit = TableLimit(ofWorkspace: 10, ofAll: 100, assured: 2)
    for (own, all, excess) in [
      (0, 0, nil), (9, 99, nil), (10, 10, .ofWorkspace), (10, 500, .ofWorkspace), (9, 100, .ofAll), (2, 100, .ofAll),
      (1, 100, nil), (0, 100_000, nil),
    ] as [(Int, Int, TableLimit.Excess?)] {
      #expect(limit.excess(having: own, ofAll: all) == excess, "\(own) of \(all)")
    }
  }

  @Test("every share leaves something to others") func all() {
    for limit in [
      Limits.webhooks, Limits.templates, Limits.productShare, Limits.roleNames, Limits.fieldNumbers, Limits.accounts,
      Limits.groups,
    ] {
      #expect(limit.assured > 0 && limit.assured < limit.ofWorkspace && limit.ofWorkspace * 10 <= limit.ofAll)
    }
    #expect(Limits.productShare.ofAll < Limits.products)
  }

  @Test("a workspace cannot define fields without end, and others do not feel it") func fields() {
    let core = CoreHarness()
    core.run("WORKSPACE.CREATE acme")
    for _ in 0..<Limits.fieldNumbers.ofWorkspace {
      core.run("FIELD.DEFINE hobby text WORKSPACE acme")
      core.run("FIELD.DROP hobby WORKSPACE acme")
    }
    #expect(
      core.run("FIELD.DEFINE hobby text WORKSPACE acme").text
        == "LIMIT fields: at most 10000 of a workspace, dropped ones included")
    #expect(core.run("FIELD.DEFINE hobby text").text == "OK")
  }
}
