import ArgumentParser

/// The operators' program: manages data folders, with or without a server that uses them, and takes people in and out.
@main
struct GatehouseControl: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "gatehousectl",
    abstract: "Manages the data of a Gatehouse server: check, compact, back up, restore, import, export.",
    discussion: """
      EXAMPLES:
        gatehousectl verify ./data                     check everything
        gatehousectl backup ./data /backup/monday      while the server runs
        gatehousectl backup host:7422 /backup/monday   over the network
        gatehousectl restore /backup/monday ./data2    into a new folder
        gatehousectl compact --port 7420               ask a running server
        gatehousectl compact --data ./data             without a server
        gatehousectl inspect ./data --user '#12'       what happened to a user
        gatehousectl mail --from noreply@acme.test     send invitations and notices
        gatehousectl service create ./data ops ADMIN   let an application in
        gatehousectl encryption status ./data          what is encrypted
        gatehousectl import people.csv --dry-run       what an import would do
        gatehousectl export users > people.csv         all users of a workspace
        gatehousectl cluster status                    who leads, who follows

      Results go to standard output, with --json as JSON; messages and progress
      go to standard error.

      \(ExitStatus.help)
      """,
    version: "gatehousectl \(version)",
    subcommands: [
      Verify.self, Compact.self, Backup.self, Restore.self, Inspect.self, Encryption.self, Service.self, Import.self,
      Export.self,
      MailCommand.self, Cluster.self,
    ])
}
