#include "support/power_cut.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <stdexcept>

namespace edgelab::test {

namespace fs = std::filesystem;

DiskState disk_state_of(const fs::path& root) {
  DiskState state;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    std::optional<std::string>& bytes = state[entry.path().lexically_relative(root).string()];
    if (entry.is_directory()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return state;
}

void put_disk_state(const DiskState& state, const fs::path& root) {
  for (const auto& [path, bytes] : state) {  // in order: a folder before what it holds
    if (bytes)
      std::ofstream(root / path, std::ios::binary) << *bytes;
    else
      fs::create_directory(root / path);
  }
}

DiskModel::DiskModel(const DiskState& on_disk) : nodes_(1) {
  nodes_[kRoot].folder = true;
  for (const auto& [path, bytes] : on_disk) {
    const Node node = make(path, !bytes);
    if (bytes) nodes_[node].bytes = *bytes;
  }
  changes_.clear();
  initial_ = nodes_;
}

std::optional<DiskModel::Node> DiskModel::find(const std::string& path) const {
  Node node = kRoot;
  for (const fs::path& name : fs::path(path)) {
    const auto found = nodes_[node].names.find(name.string());
    if (found == nodes_[node].names.end()) return std::nullopt;
    node = found->second;
  }
  return node;
}

DiskState DiskModel::state() const { return state_of(nodes_); }

DiskModel::Node DiskModel::make(const std::string& path, bool folder) {
  const auto [parent, name] = place_of(path);
  const Node node = nodes_.size();
  nodes_.push_back({folder, {}, {}});
  record(Names{parent, {{name, node}}});
  return node;
}

void DiskModel::write(Node file, std::uint64_t offset, std::string bytes) { record(Write{file, offset, bytes}); }
void DiskModel::truncate(Node file, std::uint64_t size) { record(Truncation{file, size}); }
void DiskModel::sync(Node node) { record(Sync{node}); }

void DiskModel::rename(const std::string& from, const std::string& to) {
  const auto [source, old_name] = place_of(from);
  const auto [target, new_name] = place_of(to);
  const Node node = nodes_[source].names.at(old_name);
  if (source == target) return record(Names{source, {{old_name, std::nullopt}, {new_name, node}}});
  record(Names{target, {{new_name, node}}});
  record(Names{source, {{old_name, std::nullopt}}});
}

void DiskModel::unlink(const std::string& path) {
  const auto [folder, name] = place_of(path);
  record(Names{folder, {{name, std::nullopt}}});
}

std::pair<DiskModel::Node, std::string> DiskModel::place_of(const std::string& path) const {
  const std::optional<Node> folder = find(fs::path(path).parent_path().string());
  if (!folder) throw std::logic_error("the model has no folder for '" + path + "': something made it unseen");
  return {*folder, fs::path(path).filename().string()};
}

void DiskModel::record(Change change) {
  apply(change, nodes_);
  changes_.push_back(std::move(change));
}

DiskModel::Node DiskModel::node_of(const Change& change) {
  struct {
    Node operator()(const Write& write) const { return write.file; }
    Node operator()(const Truncation& truncation) const { return truncation.file; }
    Node operator()(const Names& names) const { return names.folder; }
    Node operator()(const Sync& sync) const { return sync.node; }
  } visitor;
  return std::visit(visitor, change);
}

void DiskModel::apply(const Change& change, Disk& disk) {
  Content& content = disk[node_of(change)];
  if (const auto* write = std::get_if<Write>(&change)) {
    const std::size_t end = write->offset + write->bytes.size();
    if (content.bytes.size() < end) content.bytes.resize(end, '\0');
    content.bytes.replace(write->offset, write->bytes.size(), write->bytes);
  } else if (const auto* truncation = std::get_if<Truncation>(&change)) {
    content.bytes.resize(truncation->size, '\0');
  } else if (const auto* names = std::get_if<Names>(&change)) {
    for (const auto& [name, node] : names->given) {
      if (node)
        content.names[name] = *node;
      else
        content.names.erase(name);
    }
  }
}

DiskState DiskModel::state_of(const Disk& disk) {
  DiskState state;
  const std::function<void(Node, const std::string&)> add = [&](Node folder, const std::string& prefix) {
    for (const auto& [name, node] : disk[folder].names) {
      const std::string path = prefix + name;
      state[path] = disk[node].folder ? std::nullopt : std::optional(disk[node].bytes);
      if (disk[node].folder) add(node, path + "/");
    }
  };
  add(kRoot, "");
  return state;
}

// Those no later sync within the first `changes` brought to disk, in order.
std::vector<std::size_t> DiskModel::pending(std::size_t changes) const {
  std::set<Node> synced_later;
  std::vector<std::size_t> list;
  for (std::size_t i = changes; i-- > 0;) {
    const bool is_sync = std::holds_alternative<Sync>(changes_[i]);
    if (is_sync) synced_later.insert(node_of(changes_[i]));
    if (!is_sync && synced_later.count(node_of(changes_[i])) == 0) list.push_back(i);
  }
  std::reverse(list.begin(), list.end());
  return list;
}

DiskModel::Disk DiskModel::synced(std::size_t changes, const std::vector<std::size_t>& pending) const {
  Disk disk = initial_;
  disk.resize(nodes_.size());
  for (std::size_t node = initial_.size(); node < nodes_.size(); ++node) disk[node].folder = nodes_[node].folder;
  for (std::size_t i = 0; i < changes; ++i) {
    if (!std::binary_search(pending.begin(), pending.end(), i)) apply(changes_[i], disk);
  }
  return disk;
}

// A write of which parts are missing: cut off at a byte, or lacking some of its sectors, whose bytes are what they were
// before, or zeros where the file was shorter.
class DiskModel::Torn {
 public:
  explicit Torn(std::uint64_t seed) : random_(seed) {}

  void apply(const Change& change, Disk& disk) {
    const auto* write = std::get_if<Write>(&change);
    if (write == nullptr || write->bytes.empty() || coin()) {
      DiskModel::apply(change, disk);
    } else if (coin()) {
      Write part = *write;
      part.bytes.resize(random_() % part.bytes.size());
      DiskModel::apply(part, disk);
    } else {
      drop_sectors(*write, disk);
    }
  }

  bool coin() { return random_() % 2 == 0; }

 private:
  static constexpr std::size_t kSector = 512;

  void drop_sectors(const Write& write, Disk& disk) {
    std::string& bytes = disk[write.file].bytes;
    const std::size_t end = write.offset + write.bytes.size();
    if (bytes.size() < end) bytes.resize(end, '\0');
    for (std::size_t begin = write.offset; begin < end;) {
      const std::size_t next = std::min((begin / kSector + 1) * kSector, end);
      if (coin()) bytes.replace(begin, next - begin, write.bytes, begin - write.offset, next - begin);
      begin = next;
    }
  }

  std::mt19937_64 random_;
};

std::vector<DiskState> DiskModel::after_cut(std::size_t changes, std::size_t limit, std::uint64_t seed) const {
  const std::vector<std::size_t> open = pending(changes);
  const Disk base = synced(changes, open);
  std::set<DiskState> states;
  const auto keep = [&](const std::function<bool(std::size_t)>& kept) {
    Disk disk = base;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (kept(i)) apply(changes_[open[i]], disk);
    }
    states.insert(state_of(disk));
  };
  if (open.size() < 32 && (std::size_t{1} << open.size()) <= limit) {
    for (std::size_t set = 0; set < std::size_t{1} << open.size(); ++set)
      keep([&](std::size_t i) { return (set >> i & 1) != 0; });
  } else {
    keep([](std::size_t) { return false; });
    keep([](std::size_t) { return true; });
    for (std::size_t one = 0; one < open.size(); ++one) {
      keep([&](std::size_t i) { return i == one; });
      keep([&](std::size_t i) { return i != one; });
    }
  }
  Torn torn(seed);
  for (std::size_t drawn = 0; drawn < limit && !open.empty(); ++drawn) {
    Disk disk = base;
    for (const std::size_t change : open) {
      if (torn.coin()) torn.apply(changes_[change], disk);
    }
    states.insert(state_of(disk));
  }
  return {states.begin(), states.end()};
}

}  // namespace edgelab::test
