import ArgumentParser
import GatehouseStorage

/// How every subcommand shows its results.
struct OutputOptions: ParsableArguments {
  @Flag(help: "show the result as JSON")
  var json = false

  @Flag(help: "show no progress")
  var quiet = false

  func meter() -> ProgressMeter { ProgressMeter(isQuiet: quiet) }
}

/// The dictionaries that a log may have been compressed with.
func knownDictionaries() -> [ZstdDictionary] { LogOptions().dictionaries }
