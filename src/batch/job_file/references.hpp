#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/sweep.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// A job of the files, its defaults merged in, and the jobs that it stands for: itself, or the members of its sweep.
struct Outline {
  Value value;
  std::string id;           // empty where the id is missing or bad
  bool incomplete = false;  // its defaults may be in a file that could not be read
  std::vector<Combination> combinations;
  std::size_t first_member = 0;    // in the list of all members
  std::vector<std::size_t> needs;  // members, resolved
};

struct Member {
  std::size_t outline = 0;
  std::size_t combination = 0;
  std::string id;
};

// Every id of a batch: what a name given in `needs`, in {job: …} or on the command line means.
class Ids {
 public:
  // Reports ids that are there twice.
  Ids(const std::vector<Outline>& outlines, const std::vector<Member>& members, ErrorList& errors);

  // The members that `id` means: one, all of a sweep, or none if there is no such id.
  std::vector<std::size_t> members_of(const std::string& id) const;
  bool known(const std::string& id) const { return outlines_by_id_.contains(id) || members_by_id_.contains(id); }
  bool is_sweep(const std::string& id) const;
  std::string nearest(const std::string& id) const;

 private:
  const std::vector<Outline>& outlines_;
  const std::vector<Member>& members_;
  std::unordered_map<std::string, std::size_t> outlines_by_id_, members_by_id_;
};

inline constexpr std::size_t kMostNeeds = 200'000;  // of all jobs together, a sweep counted by its members

// Fills Outline::needs. Reports unknown ids, and more than kMostNeeds.
void resolve_needs(std::vector<Outline>& outlines, const Ids& ids, ErrorList& errors);

// Reports cycles, each at the `needs` of its first job.
void report_cycles(const std::vector<Outline>& outlines, const std::vector<Member>& members, ErrorList& errors);

// Holds every {job: ID} in `member` (a member of `outline`) against the ids and the needs.
void check_references(const Value& member, const Outline& outline, const Ids& ids, ErrorList& errors);

// The members that the {job: ID} of `member` name, sorted, none twice; names that mean no one job are passed over.
std::vector<std::size_t> members_referred_to(const Value& member, const Ids& ids);

}  // namespace edgelab::batch
