#include "tasks/split/layer_rows.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include "results/json/record_json.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

std::vector<results::LayerRow> layers_of_all(const parallel::Communicator& communicator, runtime::Executable* executable, bool counts) {
  results::JobRecord mine;
  if (executable != nullptr) mine.layers = layer_table(*executable);
  if (!counts) mine.layers.clear();
  const std::vector<std::uint8_t> bytes = results::to_bytes(mine);
  std::vector<results::LayerRow> all;
  for (const parallel::Bytes& theirs : communicator.gather(std::as_bytes(std::span(bytes)), 0)) {
    const std::span values(reinterpret_cast<const std::uint8_t*>(theirs.data()), theirs.size());
    for (results::LayerRow& row : results::job_record_from_bytes(values).layers) all.push_back(std::move(row));
  }
  return all;
}

}  // namespace edgelab::tasks
