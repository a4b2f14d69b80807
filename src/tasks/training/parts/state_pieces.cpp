#include "tasks/training/parts/state_pieces.hpp"

#include <cstring>
#include <utility>

#include "graph/split/slice.hpp"

namespace edgelab::tasks {

namespace {

using models::NamedTensor;
using Tensors = std::vector<NamedTensor>;

parallel::Bytes bytes_of(const train::Checkpoint& checkpoint) {
  const std::vector<std::uint8_t> file = train::checkpoint_bytes(checkpoint, "");
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

train::Checkpoint checkpoint_of(const parallel::Bytes& bytes, std::size_t rank) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return train::checkpoint_of_bytes({begin, begin + bytes.size()}, "the state of rank " + std::to_string(rank), "");
}

}  // namespace

StatePieces::StatePieces(const parallel::Communicator& communicator, std::vector<Pieces> of_rank, std::span<const NamedTensor> whole)
    : communicator_(communicator), of_rank_(std::move(of_rank)) {
  for (const NamedTensor& weight : whole) shapes_.emplace(weight.name, weight.tensor.shape());
}

std::string StatePieces::weight_in(const std::string& name) const {
  if (shapes_.contains(name)) return name;
  const std::string rest = name.substr(name.find('.') + 1);  // all of it, without a dot
  return shapes_.contains(rest) ? rest : "";
}

const graph::Piece* StatePieces::piece_of(std::size_t rank, const std::string& name) const {
  const auto found = of_rank_[rank].find(weight_in(name));
  return found == of_rank_[rank].end() ? nullptr : &found->second;
}

void StatePieces::paste(std::size_t rank, const NamedTensor& part, const Tensor& whole) const {
  const graph::Piece& piece = *piece_of(rank, part.name);
  if (!piece.whole()) return graph::paste(part.tensor, piece.axis, piece.ranges, whole);
  Tensor to = whole;
  std::memcpy(to.data(), part.tensor.data(), part.tensor.bytes());
}

Tensors StatePieces::mine(std::span<const NamedTensor> whole) const {
  const auto rank = static_cast<std::size_t>(communicator_.rank());
  Tensors tensors;
  for (const NamedTensor& each : whole) {
    const graph::Piece* piece = piece_of(rank, each.name);
    if (piece == nullptr && !weight_in(each.name).empty()) continue;
    tensors.push_back({each.name, piece == nullptr || piece->whole() ? each.tensor : graph::slice(each.tensor, piece->axis, piece->ranges)});
  }
  return tensors;
}

void StatePieces::spread(std::span<const NamedTensor> mine, std::span<const NamedTensor> whole) const {
  std::map<std::string, Tensor> into;
  for (const NamedTensor& each : whole) into.emplace(each.name, each.tensor);
  const std::vector<parallel::Bytes> all = communicator_.all_gather(bytes_of({{}, {mine.begin(), mine.end()}, {}, {}}));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const train::Checkpoint part = checkpoint_of(all[rank], rank);
    for (const NamedTensor& tensor : part.model) paste(rank, tensor, into.at(tensor.name));
  }
}

train::Checkpoint StatePieces::gathered(train::Checkpoint mine) const {
  const std::vector<parallel::Bytes> all = communicator_.gather(bytes_of(mine), 0);
  if (communicator_.rank() != 0) return mine;
  std::vector<train::Checkpoint> parts;
  for (std::size_t rank = 0; rank < all.size(); ++rank) parts.push_back(checkpoint_of(all[rank], rank));
  train::Checkpoint whole;
  whole.progress = mine.progress;
  for (const auto member : {&train::Checkpoint::model, &train::Checkpoint::optimizer, &train::Checkpoint::average}) {
    std::map<std::string, Tensor> tensors;
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      for (const NamedTensor& part : parts[rank].*member) {
        const std::string weight = weight_in(part.name);
        if (weight.empty()) {
          tensors.emplace(part.name, part.tensor);
          continue;
        }
        auto found = tensors.find(part.name);
        if (found == tensors.end()) found = tensors.emplace(part.name, Tensor(part.tensor.dtype(), shapes_.at(weight))).first;
        paste(rank, part, found->second);
      }
    }
    for (auto& [name, tensor] : tensors) (whole.*member).push_back({name, tensor});
  }
  return whole;
}

}  // namespace edgelab::tasks
