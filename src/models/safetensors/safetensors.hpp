#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor.hpp"

namespace edgelab::models {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// "F32", "BF16", … as the format spells them.
std::string_view safetensors_name_of(DType type);

// A safetensors file (github.com/huggingface/safetensors), mapped into memory: opening reads the header alone, and pages of
// weights come in when they are touched. Tensors are views that keep the mapping alive beyond this object. They may be
// written to: the mapping is private, the file never changes. (A tensor that some other writer left unaligned for its
// element type is copied, since a view of it could not be read as elements.)
//
// The file must not be cut short while it is mapped. A file that is replaced by rename, as write_safetensors() does, may be.
class Safetensors {
 public:
  // Throws Error: environment if the file can't be opened, data if it breaks any rule of the format or holds an element
  // type other than F32, F16, BF16, I8, U8, I32, I64. Every number in the file is checked before it is used.
  static Safetensors open(const std::filesystem::path& path);
  // The same of a file in memory, kept alive by `owner`; `name` is what errors call it.
  static Safetensors of_bytes(std::span<std::byte> bytes, const std::shared_ptr<const void>& owner,
                              const std::filesystem::path& name);

  const std::filesystem::path& path() const { return path_; }
  // In the order of their bytes in the file; before them those that were written without their zeros (zeros.hpp), whole again and
  // in memory of their own.
  const std::vector<NamedTensor>& tensors() const& { return tensors_; }
  std::vector<NamedTensor> tensors() && { return std::move(tensors_); }
  // nullptr if there is none of that name.
  const Tensor* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::filesystem::path path_;
  std::vector<NamedTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// Writes PATH.part, syncs it and renames it to PATH, so that PATH is either what it was or the whole new file. Tensors are
// laid out widest element first, then by name, each aligned for its type. Throws Error: environment if the disk refuses (PATH.part is
// removed), data for two tensors of one name, a name that isn't UTF-8, or a tensor that isn't on the host.
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});
// The same file in memory.
std::vector<std::uint8_t> safetensors_bytes(std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& metadata = {});

}  // namespace edgelab::models
