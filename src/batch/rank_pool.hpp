#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// The ranks of a run and which of them are free, host by host. A zone is a set of hosts: those that fulfil what some jobs
// require. Pure; the same calls give the same ranks.
class RankPool {
 public:
  using Zone = std::size_t;
  static constexpr Zone kEverywhere = 0;  // the zone of all hosts

  explicit RankPool(std::vector<int> host_of_rank, std::size_t hosts);  // all free

  // The zone of these hosts, ascending; the same hosts give the same zone.
  Zone zone_of(std::vector<int> hosts);
  std::size_t zones() const { return zones_.size(); }
  const std::vector<int>& hosts(Zone zone) const { return zones_[zone].hosts; }
  bool in_zone(int rank, Zone zone) const { return zones_[zone].has[host(rank)]; }

  int size() const { return static_cast<int>(host_of_rank_.size()); }
  bool is_free(int rank) const { return state_[index(rank)] == State::free; }
  bool is_taken(int rank) const { return state_[index(rank)] == State::taken; }
  bool is_drained(std::size_t host) const { return drained_[host]; }

  // Ranks of a zone: free ones on hosts that take jobs; those on hosts that take jobs, busy or not; all but those that are
  // lost for good.
  int free(Zone zone = kEverywhere) const { return zones_[zone].free; }
  int usable(Zone zone) const { return zones_[zone].usable; }
  int alive(Zone zone) const { return zones_[zone].alive; }
  bool lost_for_now() const { return lost_for_now_ > 0; }  // some rank is
  int free_outside(Zone zone, Zone other) const;  // free ranks of `zone` on hosts that are not in `other`

  // Takes `count` free ranks of a zone. pack: on as few hosts as can be, the fullest that still has room for all of them,
  // else the emptiest first; whole hosts stay empty for wide jobs. spread: on as many as can be, evenly. Ranks of one host
  // stand together and ascend, hosts go by their lowest rank, so that a job's neighbours share a host where they can.
  // Hosts of the zone `last` are used only for what the others have no room for. Requires count <= free(zone).
  struct Wish {
    int count = 1;
    Zone zone = kEverywhere;
    tasks::Placement placement = tasks::Placement::pack;
    const Zone* last = nullptr;
  };
  std::vector<int> take(const Wish& wish);
  void give_back(int rank);
  void lose(int rank, bool for_good);
  void set_drained(std::size_t host, bool drained);

  std::int64_t work() const { return work_; }  // hosts and ranks looked at so far

 private:
  enum class State : char { free, taken, lost };
  struct ZoneState {
    std::vector<int> hosts;
    std::vector<bool> has;  // by host
    int free = 0, usable = 0, alive = 0;
  };
  struct Share {  // of a host in a job's ranks
    int host = 0;
    int room = 0;
    int count = 0;
  };

  static std::size_t index(int number) { return static_cast<std::size_t>(number); }
  std::size_t host(int rank) const { return index(host_of_rank_[index(rank)]); }
  void count(std::size_t host, int ZoneState::*what, int change);
  std::vector<Share> shares(const Wish& wish, bool of_last) const;
  static void pack(std::vector<Share>& shares, int count);
  static void spread(std::vector<Share>& shares, int count);

  std::vector<int> host_of_rank_;
  std::vector<State> state_;                  // by rank
  std::vector<std::vector<int>> free_ranks_;  // by host, descending: the lowest is taken first
  std::vector<int> alive_on_;                 // by host: not lost for good
  std::vector<int> here_on_;                  // by host: not lost
  int lost_for_now_ = 0;
  std::vector<bool> drained_;                 // by host
  std::vector<ZoneState> zones_;
  std::map<std::vector<int>, Zone> zone_by_hosts_;
  mutable std::int64_t work_ = 0;
};

}  // namespace edgelab::batch
