#include "batch/job_file/sweep.hpp"

#include <algorithm>
#include <utility>

#include "batch/job_file/document.hpp"
#include "batch/job_file/scalars.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {
namespace {

// One item of `exclude`: for each key of the matrix the index that it names, or all.
struct Exclusion {
  static constexpr std::size_t kAny = static_cast<std::size_t>(-1);
  Combination at;
  bool covers(const Combination& combination) const {
    for (std::size_t key = 0; key < at.size(); ++key) {
      if (at[key] != kAny && at[key] != combination[key]) return false;
    }
    return true;
  }
};

bool read_exclusion(const Value& item, const Value& matrix, Exclusion& exclusion, ErrorList& errors) {
  exclusion.at.assign(matrix.entries.size(), Exclusion::kAny);
  bool good = true;
  for (const Entry& each : item.entries) {
    const Entry* key = matrix.entry(each.key);
    if (!key) {
      std::vector<std::string> keys;
      for (const Entry& one : matrix.entries) keys.push_back(one.key);
      const std::string near = nearest_name(each.key, keys);
      errors.add(usage_error(each.place, "\"" + each.key + "\" is not a key of the matrix")
                     .hint(near.empty() ? "" : "did you mean \"" + near + "\"?"),
                 each.place);
      good = false;
      continue;
    }
    const std::vector<Value>& values = key->value.items;
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const Value& value) { return same_value(value, each.value); });
    if (found == values.end()) {
      errors.add(usage_error(each.value.place, "the matrix gives \"" + each.key + "\" no such value")
                     .got(as_written(each.value))
                     .expected("one of " + as_written(key->value)),
                 each.value.place);
      good = false;
      continue;
    }
    exclusion.at[static_cast<std::size_t>(key - matrix.entries.data())] =
        static_cast<std::size_t>(found - values.begin());
  }
  return good;
}

std::vector<Exclusion> exclusions_of(const Value& job, const Value& matrix, ErrorList& errors) {
  std::vector<Exclusion> all;
  const Value* exclude = job.find("exclude");
  if (!exclude || !exclude->is_list() || exclude->bad) return all;
  for (const Value& item : exclude->items) {
    Exclusion exclusion;
    if (read_exclusion(item, matrix, exclusion, errors)) all.push_back(std::move(exclusion));
  }
  return all;
}

bool advance(Combination& combination, const Value& matrix) {
  for (std::size_t key = combination.size(); key-- > 0;) {
    if (++combination[key] < matrix.entries[key].value.items.size()) return true;
    combination[key] = 0;
  }
  return false;
}

}  // namespace

std::vector<Combination> combinations_of(const Value& job, ErrorList& errors) {
  const Value* matrix = job.find("matrix");
  if (!matrix) return {Combination{}};
  if (matrix->bad || !matrix->is_map() || matrix->entries.empty()) return {};
  std::size_t members = 1;
  for (const Entry& each : matrix->entries) {
    members *= each.value.items.size();
    if (members > kMostMembers) {
      errors.add(usage_error(matrix->place, "the sweep has too many combinations")
                     .expected("at most " + with_thousands(kMostMembers)),
                 matrix->place);
      return {};
    }
  }
  const std::vector<Exclusion> exclusions = exclusions_of(job, *matrix, errors);
  std::vector<Combination> left;
  Combination combination(matrix->entries.size(), 0);
  do {
    const auto covers = [&](const Exclusion& exclusion) { return exclusion.covers(combination); };
    if (std::none_of(exclusions.begin(), exclusions.end(), covers)) left.push_back(combination);
  } while (advance(combination, *matrix));
  if (left.empty()) {
    const Place& place = job.find("exclude")->place;
    errors.add(usage_error(place, "every combination of the matrix is excluded"), place);
  }
  return left;
}

std::string member_suffix(const Value& job, const Combination& combination) {
  if (combination.empty()) return {};
  const Value& matrix = *job.find("matrix");
  std::string text = "[";
  for (std::size_t key = 0; key < combination.size(); ++key) {
    const Entry& each = matrix.entries[key];
    text += (key ? "," : "") + each.key + "=" + as_written(each.value.items[combination[key]]);
  }
  return text + "]";
}

Value member_value(const Value& job, const Combination& combination) {
  Value member = job;
  member.erase("matrix");
  member.erase("exclude");
  for (std::size_t key = 0; key < combination.size(); ++key) {
    const Entry& each = job.find("matrix")->entries[key];
    const Place place = member.place;
    member = merged(member, nested_value(each.key, each.value.items[combination[key]]), job_section());
    member.place = place;
  }
  return member;
}

}  // namespace edgelab::batch
