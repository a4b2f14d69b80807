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
  std::size_t document = 0;  // of the batch's, that it is in
  std::string own_id;        // as that document has it; empty where the id is missing or bad
  std::string id;            // as the batch calls it (JobNames)
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

  // What the batch calls the job, sweep or member that a document calls `id`; `id` itself if the document has none of its own.
  const std::string& in_batch(const std::string& id, std::size_t document) const;
  // … that anybody calls `id`: more than one where several documents have it, none if there is no such id.
  std::vector<std::string> called(const std::string& id) const;

  // Of ids as the batch has them. The members that `id` means: one, all of a sweep, or none if there is no such id.
  std::vector<std::size_t> members_of(const std::string& id) const;
  bool known(const std::string& id) const { return outlines_by_id_.contains(id) || members_by_id_.contains(id); }
  bool is_sweep(const std::string& id) const;
  std::string nearest(const std::string& id) const;

 private:
  const std::vector<Outline>& outlines_;
  const std::vector<Member>& members_;
  std::unordered_map<std::string, std::size_t> outlines_by_id_, members_by_id_;
  std::vector<std::unordered_map<std::string, std::string>> renamed_;  // by document: its own ids to the batch's, where they differ
};

inline constexpr std::size_t kMostNeeds = 200'000;  // of all jobs together, a sweep counted by its members

// Fills Outline::needs. Reports unknown ids, and more than kMostNeeds.
void resolve_needs(std::vector<Outline>& outlines, const Ids& ids, ErrorList& errors);

// Reports cycles, each at the `needs` of its first job.
void report_cycles(const std::vector<Outline>& outlines, const std::vector<Member>& members, ErrorList& errors);

// Holds every {job: ID} in `member` (a member of `outline`) against the ids and the needs.
void check_references(const Value& member, const Outline& outline, const Ids& ids, ErrorList& errors);

// Makes every {job: ID} in `member`, of that document, the batch's id.
void rename_references(Value& member, std::size_t document, const Ids& ids);

// The members that the {job: ID} of `member`, of that document, name, sorted, none twice; names that mean no one job are passed
// over.
std::vector<std::size_t> members_referred_to(const Value& member, std::size_t document, const Ids& ids);

}  // namespace edgelab::batch
