#include "batch/job_file/references.hpp"

#include <algorithm>

#include "batch/job_file/needs.hpp"
#include "batch/job_file/scalars.hpp"
#include "batch/job_file/sections.hpp"

namespace edgelab::batch {

Ids::Ids(const std::vector<Outline>& outlines, const std::vector<Member>& members, ErrorList& errors)
    : outlines_(outlines), members_(members) {
  for (std::size_t at = 0; at < outlines.size(); ++at) {
    if (outlines[at].id.empty()) continue;
    const auto [first, added] = outlines_by_id_.emplace(outlines[at].id, at);
    if (added) continue;
    const Outline& other = outlines[first->second];
    const Place& place = outlines[at].value.find("id")->place;
    errors.add(usage_error(place, "two jobs have the id \"" + outlines[at].id + "\"")
                   .hint("the first is at " + other.value.find("id")->place.shown().text() +
                         (outlines[at].document == other.document ? "" : "; give one of the two files another name")),
               place);
  }
  for (std::size_t at = 0; at < members.size(); ++at) {
    if (members[at].id.empty()) continue;
    const Outline& outline = outlines[members[at].outline];
    const auto other = outlines_by_id_.find(members[at].id);
    if (!outline.combinations[members[at].combination].empty() && other != outlines_by_id_.end()) {
      const Place& place = outlines[other->second].value.find("id")->place;
      errors.add(
          usage_error(place, "a member of the sweep \"" + outline.id + "\" has the id \"" + members[at].id + "\" too"),
          place);
    }
    members_by_id_.emplace(members[at].id, at);
  }
  if (!outlines.empty()) renamed_.resize(outlines.back().document + 1);
  for (const Member& member : members) {
    const Outline& outline = outlines[member.outline];
    if (outline.own_id == outline.id) continue;
    renamed_[outline.document].emplace(outline.own_id, outline.id);
    renamed_[outline.document].emplace(outline.own_id + member.id.substr(outline.id.size()), member.id);
  }
}

const std::string& Ids::in_batch(const std::string& id, std::size_t document) const {
  const auto own = renamed_[document].find(id);
  return own == renamed_[document].end() ? id : own->second;
}

std::vector<std::string> Ids::called(const std::string& id) const {
  if (known(id)) return {id};
  std::vector<std::string> all;
  for (const auto& of_document : renamed_) {
    if (const auto own = of_document.find(id); own != of_document.end()) all.push_back(own->second);
  }
  return all;
}

std::vector<std::size_t> Ids::members_of(const std::string& id) const {
  if (const auto base = outlines_by_id_.find(id); base != outlines_by_id_.end()) {
    const Outline& outline = outlines_[base->second];
    std::vector<std::size_t> all(outline.combinations.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = outline.first_member + i;
    return all;
  }
  if (const auto member = members_by_id_.find(id); member != members_by_id_.end()) return {member->second};
  return {};
}

bool Ids::is_sweep(const std::string& id) const {
  const auto base = outlines_by_id_.find(id);
  return base != outlines_by_id_.end() && outlines_[base->second].value.find("matrix");
}

std::string Ids::nearest(const std::string& id) const {
  constexpr std::size_t kMostCompared = 2000;
  std::vector<std::string> candidates;
  for (const Outline& outline : outlines_) {
    if (!outline.id.empty() && candidates.size() < kMostCompared) candidates.push_back(outline.id);
  }
  if (id.find('[') != std::string::npos) {
    for (const Member& member : members_) {
      if (!member.id.empty() && candidates.size() < kMostCompared) candidates.push_back(member.id);
    }
  }
  return nearest_name(id, candidates);
}

namespace {

// Of an id that the document has not, nor has the batch.
void unknown_id(const Value& value, const Ids& ids, ErrorList& errors) {
  if (const std::vector<std::string> several = ids.called(value.text); !several.empty()) {
    std::string names;
    for (const std::string& name : several) names += (names.empty() ? "" : " or ") + name;
    errors.add(usage_error(value.place, "several other files have a job \"" + value.text + "\"").hint("say " + names), value.place);
    return;
  }
  const std::string near = ids.nearest(value.text);
  errors.add(usage_error(value.place, "no job has the id \"" + value.text + "\"")
                 .hint(near.empty() ? "" : "did you mean \"" + near + "\"?"),
             value.place);
}

const std::vector<Value>& items_of(const Value& needs, std::vector<Value>& single) {
  if (needs.is_list()) return needs.items;
  single.assign(1, needs);
  return single;
}

}  // namespace

void resolve_needs(std::vector<Outline>& outlines, const Ids& ids, ErrorList& errors) {
  std::size_t edges = 0;
  std::vector<Value> single;
  for (Outline& outline : outlines) {
    const Value* needs = outline.value.find("needs");
    if (!needs) continue;
    for (const Value& item : items_of(*needs, single)) {
      if (item.bad || !item.is_scalar()) continue;
      const std::string& id = ids.in_batch(item.text, outline.document);
      if (!ids.known(id)) unknown_id(item, ids, errors);
      const std::vector<std::size_t> meant = ids.members_of(id);
      edges += meant.size() * outline.combinations.size();
      if (edges > kMostNeeds) {
        errors.add(usage_error(item.place, "the jobs need one another in too many ways")
                       .expected("at most " + with_thousands(kMostNeeds) + ", a sweep counted by its members"),
                   item.place);
        return;
      }
      outline.needs.insert(outline.needs.end(), meant.begin(), meant.end());
    }
    std::sort(outline.needs.begin(), outline.needs.end());
    outline.needs.erase(std::unique(outline.needs.begin(), outline.needs.end()), outline.needs.end());
  }
}

void report_cycles(const std::vector<Outline>& outlines, const std::vector<Member>& members, ErrorList& errors) {
  std::vector<std::vector<std::size_t>> needs;
  for (const Member& member : members) needs.push_back(outlines[member.outline].needs);
  const NeedsGraph graph(std::move(needs));
  for (const std::vector<std::size_t>& cycle : graph.cycles()) {
    const Value& place_holder = *outlines[members[cycle.front()].outline].value.find("needs");
    std::string way;
    constexpr std::size_t kMostShown = 20;
    for (std::size_t i = 0; i < std::min(cycle.size(), kMostShown); ++i) way += members[cycle[i]].id + " → ";
    if (cycle.size() > kMostShown) way += "… → ";
    errors.add(
        usage_error(place_holder.place, "jobs wait for one another in a circle: " + way + members[cycle.front()].id)
            .hint("remove one of these needs"),
        place_holder.place);
  }
}

namespace {

// Calls visit(value) for every id of a job in `value`, a Value or const Value.
template <class AnyValue, class Visit>
void for_each_job_id(AnyValue& value, const Type& given, const Visit& visit) {
  const Type& type = given.fitting(value);
  if (value.bad) return;
  if (type.kind == Type::Kind::job_id && value.is_scalar()) visit(value);
  if (type.kind == Type::Kind::list && value.is_list()) {
    for (auto& item : value.items) for_each_job_id(item, type.parts[0], visit);
  }
  if (type.kind != Type::Kind::map || !value.is_map()) return;
  for (auto& each : value.entries) {
    const Key* key = type.section().key(each.key);
    if (key) for_each_job_id(each.value, key->type, visit);
  }
}

// … for every one in a job but its needs.
template <class AnyValue, class Visit>
void for_each_reference(AnyValue& job, const Visit& visit) {
  for (auto& each : job.entries) {
    const Key* of = job_section().key(each.key);
    if (of && each.key != "needs") for_each_job_id(each.value, of->type, visit);
  }
}

}  // namespace

void check_references(const Value& member, const Outline& outline, const Ids& ids, ErrorList& errors) {
  for_each_reference(member, [&](const Value& named) {
    const std::string& id = ids.in_batch(named.text, outline.document);
    if (!ids.known(id)) return unknown_id(named, ids, errors);
    const std::vector<std::size_t> meant = ids.members_of(id);
    if (ids.is_sweep(id)) {
      errors.add(usage_error(named.place, "\"" + named.text + "\" is a sweep, and one job is meant here")
                     .hint("name a member, as in " + named.text + "[KEY=VALUE]"),
                 named.place);
    } else if (!meant.empty() && !std::binary_search(outline.needs.begin(), outline.needs.end(), meant.front())) {
      errors.add(usage_error(named.place, "\"" + named.text + "\" is not among the needs of \"" + outline.own_id + "\"")
                     .hint("add it: needs: [" + named.text + "]"),
                 named.place);
    }
  });
}

void rename_references(Value& member, std::size_t document, const Ids& ids) {
  for_each_reference(member, [&](Value& named) { named.text = ids.in_batch(named.text, document); });
}

std::vector<std::size_t> members_referred_to(const Value& member, std::size_t document, const Ids& ids) {
  std::vector<std::size_t> found;
  for_each_reference(member, [&](const Value& named) {
    const std::vector<std::size_t> meant = ids.members_of(ids.in_batch(named.text, document));
    if (meant.size() == 1) found.push_back(meant.front());
  });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace edgelab::batch
