#include "batch/job_file/document.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "batch/job_file/check.hpp"
#include "batch/job_file/sections.hpp"
#include "batch/job_file/yaml_reader.hpp"
#include "core/file.hpp"

namespace edgelab::batch {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostReads = 100;  // files that include one another twice each would double at every level

// At most kMostFileBytes + 1 bytes, so that read_yaml sees that there are too many.
std::optional<std::string> contents(const fs::path& path) try {
  InputFile file(path);
  std::string text(std::min<std::uint64_t>(file.size(), kMostFileBytes) + 1, '\0');
  text.resize(file.read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  return text;
} catch (const Error&) {
  return {};  // unreadable() says it at the place that asked for it
}

Error unreadable(const fs::path& path, const Place& asked_at) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  const bool regular = fs::is_regular_file(path, error);
  // A file that is there and can't be read is the machine's fault, not the caller's.
  const std::string what = regular ? " can't be read" : there ? " is not a file" : " does not exist";
  return Error(regular ? ErrorKind::environment : ErrorKind::usage,
               (asked_at.file ? "the included file " : "the job file ") + path.string() + what)
      .at(asked_at.shown());
}

fs::path absolute_path(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  return (error ? path : absolute).lexically_normal();
}

// By what is on the disk, so that a cycle through a link is one too.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real;
}

const Section* inner_section(const Section& section, const std::string& name) {
  const Key* key = section.key(name);
  if (!key) return nullptr;
  Value as_map = map_value();
  const Type& type = key->type.fitting(as_map);
  return type.kind == Type::Kind::map ? &type.section() : nullptr;
}

void remove_rivals(Value& base, const Value& over, const Section& section) {
  const auto has_one = [&](const std::vector<std::string>& keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) { return over.find(key) != nullptr; });
  };
  for (const auto& group : section.alternatives) {
    if (!has_one(group)) continue;
    for (const auto& rival : section.alternatives) {
      if (&rival == &group) continue;
      for (const std::string& key : rival) base.erase(key);
    }
  }
}

// Included jobs stand first; a later job of the same id takes the place of the earlier one.
void merge_jobs(std::vector<Value>& jobs, std::vector<Value> later) {
  const std::size_t before = jobs.size();
  for (Value& job : later) {
    const std::string id = id_text(job);
    const auto end = jobs.begin() + static_cast<std::ptrdiff_t>(before);
    const auto same = std::find_if(jobs.begin(), end, [&](const Value& other) { return !id.empty() && id_text(other) == id; });
    if (same != end) {
      *same = std::move(job);
    } else {
      jobs.push_back(std::move(job));
    }
  }
}

void merge_document(Document& document, Document later) {
  document.incomplete = document.incomplete || later.incomplete;
  if (later.name.is_scalar()) document.name = std::move(later.name);
  document.defaults = merged(document.defaults, later.defaults, defaults_section());
  merge_cluster(document, later.cluster);
  merge_jobs(document.jobs, std::move(later.jobs));
}

}  // namespace

std::string id_text(const Value& job) {
  const Value* id = job.find("id");
  return id && !id->bad ? id->text : std::string{};
}

void merge_cluster(Document& document, const Value& later) {
  if (!later.is_map()) return;
  document.cluster = document.cluster.is_map() ? merged(document.cluster, later, cluster_section()) : later;
}

Value merged(const Value& base, const Value& over, const Section& section) {
  Value result = base;
  remove_rivals(result, over, section);
  for (const Entry& each : over.entries) {
    const auto own = std::find_if(result.entries.begin(), result.entries.end(),
                                  [&](const Entry& other) { return other.key == each.key; });
    if (own == result.entries.end()) {
      result.entries.push_back(each);
      continue;
    }
    const Section* inner = own->value.is_map() && each.value.is_map() ? inner_section(section, each.key) : nullptr;
    const bool free_keys = own->value.is_map() && each.value.is_map() && !inner;  // matrix
    static const Section none;
    Entry entry =
        inner || free_keys ? Entry{each.key, each.place, merged(own->value, each.value, inner ? *inner : none)} : each;
    *own = std::move(entry);
  }
  if (over.place.file) result.place = over.place;
  return result;
}

Document DocumentReader::read(const fs::path& path) { return read(path, {}); }

Document DocumentReader::read(const fs::path& path, const Place& asked_at) {
  Document document;
  document.defaults = map_value();
  const fs::path absolute = absolute_path(path);
  const auto text = contents(absolute);
  if (!text) {
    errors_.add(unreadable(path, asked_at), asked_at);
    document.incomplete = true;
    return document;
  }
  if (std::find(files_.begin(), files_.end(), absolute) == files_.end()) files_.push_back(absolute);
  const auto number = std::find(files_.begin(), files_.end(), absolute) - files_.begin();
  const auto file =
      std::make_shared<const SourceFile>(SourceFile{path.string(), absolute.parent_path(), static_cast<int>(number)});
  open_.push_back(real_path(absolute));
  document = parse(*text, file);
  document.label = document.name.is_scalar() ? document.name.text : path.stem().string();
  open_.pop_back();
  return document;
}

Document DocumentReader::read_text(const std::string& name, const std::string& text) {
  const int number = static_cast<int>(files_.size());
  files_.push_back(name);
  Document document = parse(text, std::make_shared<const SourceFile>(SourceFile{name, fs::path("/"), number}));
  document.label = document.name.is_scalar() ? document.name.text : name;
  return document;
}

Document DocumentReader::parse(const std::string& text, const std::shared_ptr<const SourceFile>& file) {
  Document document;
  document.defaults = map_value();
  document.start = {file, 1, 1};
  auto root = read_yaml(text, file, errors_);
  if (!root) {
    document.incomplete = true;
    return document;
  }
  check(*root, map(file_section), "", errors_);
  if (!root->is_map()) {
    document.incomplete = true;
    return document;
  }

  if (const Value* included = root->find("include"); included && !included->bad) include(document, *included);

  Document own;
  own.defaults = map_value();
  if (const Value* name = root->find("name"); name && !name->bad) own.name = *name;
  if (const Value* defaults = root->find("defaults")) {
    own.incomplete = !defaults->is_map();
    if (defaults->is_map()) own.defaults = *defaults;
  }
  if (const Value* cluster = root->find("cluster")) {
    own.incomplete = own.incomplete || !cluster->is_map();
    if (cluster->is_map()) own.cluster = *cluster;
  }
  if (const Value* jobs = root->find("jobs"); jobs && jobs->is_list()) {
    std::copy_if(jobs->items.begin(), jobs->items.end(), std::back_inserter(own.jobs),
                 [](const Value& job) { return job.is_map(); });
    own.incomplete = own.incomplete || own.jobs.size() != jobs->items.size();
  } else if (jobs) {
    own.incomplete = true;
  }
  merge_document(document, std::move(own));
  return document;
}

void DocumentReader::include(Document& document, const Value& value) {
  if (open_.empty()) {
    errors_.add(usage_error(value.place, "a job file that joins a running batch can't include others"), value.place);
    return;
  }
  const std::vector<Value> single{value};
  for (const Value& item : value.is_list() ? value.items : single) {
    if (item.bad) continue;
    const fs::path real = real_path(item.absolute);
    if (const auto loop = std::find(open_.begin(), open_.end(), real); loop != open_.end()) {
      std::string way;
      for (auto at = loop; at != open_.end(); ++at) way += at->filename().string() + " → ";
      errors_.add(usage_error(item.place, "the files include one another: " + way + real.filename().string()),
                  item.place);
      continue;
    }
    if (++reads_ > kMostReads) {
      errors_.add(usage_error(item.place, "more than " + std::to_string(kMostReads) + " files are included"),
                  item.place);
      return;
    }
    // Named as the including file would name it from where the caller stands.
    const fs::path shown = fs::path(item.text).is_absolute()
                               ? fs::path(item.text)
                               : (fs::path(item.place.file->name).parent_path() / item.text).lexically_normal();
    merge_document(document, read(shown, item.place));
  }
}

}  // namespace edgelab::batch
