#include "batch/job_file/overrides.hpp"

#include <climits>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "batch/job_file/check.hpp"
#include "batch/job_file/sections.hpp"
#include "batch/job_file/yaml_reader.hpp"

namespace edgelab::batch {
namespace {

struct Override {
  std::string path;  // "defaults.batch"
  Value value;
  Place place;  // no line: the command line has none
};

void forget_lines(Value& value, const Place& place) {
  value.place = place;
  for (Value& item : value.items) forget_lines(item, place);
  for (Entry& entry : value.entries) {
    entry.place = place;
    forget_lines(entry.value, place);
  }
}

// YAML errors inside the value have lines of their own, which mean nothing to who typed it: they are told as one.
std::optional<Override> parse(const std::string& text, ErrorList& errors) {
  std::error_code error;
  const auto file =
      std::make_shared<const SourceFile>(SourceFile{"--set " + text, std::filesystem::current_path(error), INT_MAX});
  const Place place{file, 0, 0};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    errors.add(usage_error(place, "an override has the form KEY=VALUE").hint("for example --set defaults.batch=8"),
               place);
    return {};
  }
  ErrorList inner;
  auto value = read_yaml(text.substr(equals + 1), file, inner);
  if (!value || !inner.empty()) {
    errors.add(usage_error(place, "the value is not YAML").got(described(text_value(text.substr(equals + 1)))), place);
    return {};
  }
  forget_lines(*value, place);
  return Override{text.substr(0, equals), std::move(*value), place};
}

void set_name(Override& override, std::vector<Document>& documents, ErrorList& errors) {
  Value tree = nested_value("name", std::move(override.value));
  check(tree, map(file_section), "", errors);
  if (!documents.empty()) documents.front().name = tree.entries[0].value;
}

void set_default(Override& override, std::vector<Document>& documents, ErrorList& errors) {
  Value tree = nested_value(override.path.substr(9), std::move(override.value));
  check(tree, map(defaults_section), "defaults", errors);
  for (Document& document : documents) document.defaults = merged(document.defaults, tree, defaults_section());
}

void set_cluster(Override& override, std::vector<Document>& documents, ErrorList& errors) {
  Value tree = nested_value(override.path.substr(8), std::move(override.value));
  check(tree, map(cluster_section), "cluster", errors);
  tree.place = override.place;
  for (Document& document : documents) merge_cluster(document, tree);
}

// The jobs that `jobs.NAME.KEY` means, and NAME.
struct NamedJobs {
  std::string name;
  std::vector<Value*> jobs;
};

// A name may hold dots, so the longest that begins the path is meant. An id that several files have means all of theirs.
NamedJobs jobs_of(const std::string& rest, std::vector<Document>& documents, const JobNames& names) {
  NamedJobs best;
  for (Document& document : documents) {
    for (Value& job : document.jobs) {
      const std::string id = id_text(job);
      for (const std::string& name : {id, names.in_batch(id, document)}) {
        if (name.empty() || name.size() < best.name.size() || !rest.starts_with(name + ".")) continue;
        if (name.size() > best.name.size()) best = {name, {}};
        if (best.jobs.empty() || best.jobs.back() != &job) best.jobs.push_back(&job);
      }
    }
  }
  return best;
}

void unknown_job(const Override& override, const std::string& rest, const std::vector<Document>& documents,
                 ErrorList& errors) {
  std::vector<std::string> ids;
  for (const Document& document : documents) {
    for (const Value& job : document.jobs) ids.push_back(id_text(job));
  }
  const std::string wanted = rest.substr(0, rest.find('.'));
  const std::string near = nearest_name(wanted, ids);
  errors.add(usage_error(override.place, rest.find('.') == std::string::npos
                                             ? "an override of a job has the form jobs.ID.KEY=VALUE"
                                             : "no job has the id \"" + wanted + "\"")
                 .hint(near.empty() ? "" : "did you mean \"" + near + "\"?"),
             override.place);
}

void set_in_job(Override& override, std::vector<Document>& documents, const JobNames& names, ErrorList& errors) {
  const std::string rest = override.path.substr(5);
  const NamedJobs named = jobs_of(rest, documents, names);
  if (named.jobs.empty()) return unknown_job(override, rest, documents, errors);
  const std::string key = rest.substr(named.name.size() + 1);
  for (const Value* job : named.jobs) {
    const Value* matrix = job->find("matrix");
    if (!matrix || !matrix->find(key)) continue;
    errors.add(usage_error(override.place, "\"" + key + "\" is varied by the matrix of \"" + named.name + "\"")
                   .hint("set jobs." + named.name + ".matrix to a map with the values wanted"),
               override.place);
    return;
  }
  Value tree = nested_value(key, std::move(override.value));
  check(tree, map(override_section), "jobs." + named.name, errors);
  for (Value* job : named.jobs) {
    const Place place = job->place;
    *job = merged(*job, tree, job_section());
    job->place = place;
  }
}

}  // namespace

void apply_overrides(const std::vector<std::string>& set, std::vector<Document>& documents, const JobNames& names,
                     ErrorList& errors) {
  for (const std::string& text : set) {
    auto override = parse(text, errors);
    if (!override) continue;
    const auto begins = [&](std::string_view start) { return override->path.compare(0, start.size(), start) == 0; };
    if (override->path == "name") {
      set_name(*override, documents, errors);
    } else if (begins("defaults.")) {
      set_default(*override, documents, errors);
    } else if (begins("cluster.")) {
      set_cluster(*override, documents, errors);
    } else if (begins("jobs.")) {
      set_in_job(*override, documents, names, errors);
    } else {
      const bool job_key = type_of(defaults_section(), override->path) != nullptr;
      errors.add(
          usage_error(override->place, "unknown key \"" + override->path + "\"")
              .hint(job_key ? "did you mean \"defaults." + override->path + "\" or \"jobs.ID." + override->path + "\"?"
                            : "a key begins with defaults., jobs.ID. or cluster., or is name"),
          override->place);
    }
  }
}

}  // namespace edgelab::batch
