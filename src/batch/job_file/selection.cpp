#include "batch/job_file/selection.hpp"

#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "batch/job_file/needs.hpp"
#include "batch/job_file/scalars.hpp"

namespace edgelab::batch {
namespace {

// "grid[#2]"
struct NumberedMember {
  std::string sweep;
  std::size_t number = 0;
};

std::optional<NumberedMember> as_numbered_member(const std::string& id) {
  const std::size_t at = id.rfind("[#");
  if (at == std::string::npos || !id.ends_with(']')) return std::nullopt;
  const auto number = read_integer(id.substr(at + 2, id.size() - at - 3));
  if (!number || *number < 0) return std::nullopt;
  return NumberedMember{id.substr(0, at), static_cast<std::size_t>(*number)};
}

// The member of that number of each of the sweeps.
std::vector<std::size_t> numbered_members(const std::vector<std::string>& sweeps, std::size_t number, const Place& place,
                                          const Ids& ids, ErrorList& errors) {
  std::vector<std::size_t> meant;
  for (const std::string& sweep : sweeps) {
    const std::vector<std::size_t> all = ids.members_of(sweep);
    if (all.empty()) continue;  // the matrix has been reported
    if (number < all.size()) {
      meant.push_back(all[number]);
      continue;
    }
    errors.add(usage_error(place, "the sweep \"" + sweep + "\" has no such member")
                   .got("#" + std::to_string(number))
                   .expected("#0 to #" + std::to_string(all.size() - 1)),
               place);
  }
  return meant;
}

// The members that `id` means, of every file that has it; none, and an error, if it means nothing.
std::vector<std::size_t> meant_by(const std::string& id, const Ids& ids, ErrorList& errors) {
  const std::vector<std::string> names = ids.called(id);
  std::vector<std::size_t> meant;
  for (const std::string& name : names) {
    const std::vector<std::size_t> members = ids.members_of(name);
    meant.insert(meant.end(), members.begin(), members.end());
  }
  if (!names.empty()) return meant;
  const Place place{std::make_shared<const SourceFile>(SourceFile{"--only " + id, {}, INT_MAX}), 0, 0};
  if (const std::optional<NumberedMember> numbered = as_numbered_member(id)) {
    std::vector<std::string> sweeps = ids.called(numbered->sweep);
    std::erase_if(sweeps, [&](const std::string& name) { return !ids.is_sweep(name); });
    if (!sweeps.empty()) return numbered_members(sweeps, numbered->number, place, ids, errors);
  }
  const std::string near = ids.nearest(id);
  errors.add(
      usage_error(place, "no job has the id \"" + id + "\"").hint(near.empty() ? "" : "did you mean \"" + near + "\"?"),
      place);
  return {};
}

// The members, and what they refer to, and so on. Only those that are reached are looked into: a batch may have thousands.
std::vector<bool> with_references(std::vector<std::size_t> open, const std::vector<Outline>& outlines,
                                  const std::vector<Member>& members, const Ids& ids) {
  std::vector<bool> reached(members.size(), false);
  for (const std::size_t member : open) reached[member] = true;
  while (!open.empty()) {
    const Member member = members[open.back()];
    open.pop_back();
    const Outline& outline = outlines[member.outline];
    for (const std::size_t other :
         members_referred_to(member_value(outline.value, outline.combinations[member.combination]), outline.document, ids)) {
      if (reached[other]) continue;
      reached[other] = true;
      open.push_back(other);
    }
  }
  return reached;
}

}  // namespace

std::vector<bool> selected_members(const LoadOptions& options, const std::vector<Outline>& outlines,
                                   const std::vector<Member>& members, const Ids& ids, ErrorList& errors) {
  if (options.only.empty()) return std::vector<bool>(members.size(), true);
  std::vector<std::size_t> asked;
  for (const std::string& id : options.only) {
    const std::vector<std::size_t> meant = meant_by(id, ids, errors);
    asked.insert(asked.end(), meant.begin(), meant.end());
  }
  if (options.needs_met) return with_references(std::move(asked), outlines, members, ids);
  std::vector<std::vector<std::size_t>> needs;
  for (const Member& member : members) needs.push_back(outlines[member.outline].needs);
  return NeedsGraph(std::move(needs)).with_needs(asked);
}

}  // namespace edgelab::batch
