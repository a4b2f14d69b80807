#include "results/repair.hpp"

#include "core/error.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/journal.hpp"

namespace edgelab::results {

Repair repair_results(const std::filesystem::path& path) {
  const bool is_journal = path.extension() == ".journal";
  const std::filesystem::path journal = is_journal ? path : journal_path_of(path);
  Repair repair;
  repair.results_file = path;
  if (is_journal) repair.results_file.replace_extension(".h5");
  if (!std::filesystem::is_regular_file(journal)) {
    throw Error(ErrorKind::environment, "there is no journal to repair from")
        .at({journal.string()})
        .hint("a copy of the journal must stand beside the results file");
  }
  refuse_if_written(journal);
  const JournalContent content = read_journal(journal);
  if (content.facts.empty())
    throw Error(ErrorKind::data, "the journal holds nothing: its run ended before it began").at({journal.string()});
  const RunRecord run = run_from_facts(content.facts);
  // Laid out before the damaged file is moved: a failure leaves everything as it was.
  hdf5_image_of(run);
  keep_as_old(repair.results_file);
  write_run(repair.results_file, run);
  repair.jobs = run.jobs.size();
  repair.complete = run.provenance.complete;
  repair.note = content.note;
  return repair;
}

}  // namespace edgelab::results
