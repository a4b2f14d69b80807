#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "results/journal.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::results {
namespace {

// Line by line; what is damaged is gathered up to the next whole line.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  JournalContent read(std::string_view text) {
    int number = 0;
    for (std::uint64_t begin = 0; begin < text.size();) {
      ++number;
      const std::size_t feed = text.find('\n', begin);
      const bool ended = feed != std::string_view::npos;
      auto line = ended ? parse_journal_line(text.substr(begin, feed - begin)) : std::nullopt;
      const std::uint64_t end = ended ? feed + 1 : text.size();
      if (line) {
        take(std::move(*line), begin, end);
      } else if (damage_.empty() || damage_.back().stretch.end != 0) {
        damage_.push_back({{begin, 0}, number});
      }
      begin = end;
    }
    return finish();
  }

 private:
  struct Damage {
    LostStretch stretch;  // its end is 0 until a whole line is found behind it
    int line = 0;
  };

  void take(JournalLine line, std::uint64_t begin, std::uint64_t end) {
    if (!damage_.empty() && damage_.back().stretch.end == 0) damage_.back().stretch.end = begin;
    if (const auto told = lost_stretch_of(line.fact))
      std::erase_if(damage_, [&](const Damage& damage) { return damage.stretch == *told; });
    for (const Damage& damage : damage_) {
      if (damage.stretch.begin < line.synced.value_or(begin)) accuse(damage.line);
    }
    content_.facts.push_back(std::move(line.fact));
    content_.sound_bytes = end;
  }

  [[noreturn]] void accuse(int line) const {
    throw Error(ErrorKind::data, "this line of the journal is damaged: its checksum does not fit")
        .at({file_, line})
        .hint("a copy of the file from before may help; lines after it can't be trusted either");
  }

  JournalContent finish() {
    for (const Damage& damage : damage_) {
      const bool last = damage.stretch.end == 0;
      if (!last) content_.lost.push_back(damage.stretch);
      content_.note += (content_.note.empty() ? "" : "\n") + file_ + ":" + std::to_string(damage.line) + ": " +
                       (last ? "the last line is torn (a write that never ended) and was left out"
                             : "what nobody was told of yet is damaged (the machine stopped) and was left out");
    }
    return std::move(content_);
  }

  std::string file_;
  std::vector<Damage> damage_;
  JournalContent content_;
};

}  // namespace

JournalContent read_journal(const std::filesystem::path& path) {
  // Its facts take as much memory again; nothing edgelab is made for could hold more.
  constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 30;
  const std::vector<std::uint8_t> bytes = read_file(path, kMostBytes, Links::refuse);
  return parse_journal({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

JournalContent parse_journal(std::string_view text, const std::string& name) { return Reader(name).read(text); }

namespace {

// The last record of each job, in the order of the first ones.
class Jobs {
 public:
  void add(JobRecord job) {
    const auto [place, fresh] = places_.emplace(job.id, jobs_.size());
    if (fresh)
      jobs_.push_back(std::move(job));
    else
      jobs_[place->second] = std::move(job);
  }

  void keep_only(const std::vector<std::string>& ids) {
    const std::set<std::string> kept(ids.begin(), ids.end());
    std::erase_if(jobs_, [&](const JobRecord& job) { return !kept.contains(job.id); });
    places_.clear();
    for (const JobRecord& job : jobs_) places_.emplace(job.id, places_.size());
  }

  std::vector<JobRecord> take_in_order(const std::vector<std::string>& ids) {
    std::map<std::string, std::size_t> order;
    for (const std::string& id : ids) order.emplace(id, order.size());
    const auto rank = [&](const JobRecord& job) { return order.contains(job.id) ? order.at(job.id) : order.size(); };
    std::stable_sort(jobs_.begin(), jobs_.end(), [&](const JobRecord& a, const JobRecord& b) { return rank(a) < rank(b); });
    return std::move(jobs_);
  }

 private:
  std::vector<JobRecord> jobs_;
  std::map<std::string, std::size_t> places_;
};

enum class Of { last_run, all_runs };

std::vector<JobRecord> jobs_of(const std::vector<Fact>& facts, Of runs) {
  Jobs jobs;
  std::vector<std::string> order;
  for (const Fact& fact : facts) {
    if (fact.type == "job") jobs.add(job_record_from_json_text(fact.body));
    if (fact.type == "order") order = ids_from_json_text(fact.body);
    if (fact.type == "taken_over" && runs == Of::last_run) jobs.keep_only(ids_from_json_text(fact.body));
  }
  return jobs.take_in_order(order);
}

}  // namespace

RunRecord run_from_facts(const std::vector<Fact>& facts) {
  RunRecord run;
  for (const Fact& fact : facts) {
    if (fact.type == "header" || fact.type == "run") run = frame_from_json_text(fact.body);
  }
  run.jobs = jobs_of(facts, Of::last_run);
  if (facts.empty() || facts.back().type != "run") run.provenance.complete = false;
  return run;
}

std::vector<JobRecord> jobs_from_facts(const std::vector<Fact>& facts) { return jobs_of(facts, Of::all_runs); }

}  // namespace edgelab::results
