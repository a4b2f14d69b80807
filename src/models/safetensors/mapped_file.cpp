#include "models/safetensors/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"

namespace edgelab::models {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string got) {
  throw Error(ErrorKind::environment, "can't read the weights").at({path.string()}).got(std::move(got)).expected("a safetensors file");
}

MappedFile map_descriptor(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) refuse(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse(path, S_ISDIR(status.st_mode) ? "a folder" : "something that isn't a plain file");
  const auto length = static_cast<std::size_t>(status.st_size);
  if (length == 0) return {};  // mmap refuses empty files; the reader says what is missing
  // NORESERVE: only pages that are written to ever need memory of their own.
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
  if (memory == MAP_FAILED) refuse(path, std::strerror(errno));
  std::shared_ptr<const void> owner(memory, [length](void* pointer) { munmap(pointer, length); });
  return {std::move(owner), {static_cast<std::byte*>(memory), length}};
}

}  // namespace

MappedFile map_file(const std::filesystem::path& path) {
  // NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) refuse(path, std::strerror(errno));
  const std::shared_ptr<const void> closer(nullptr, [descriptor](const void*) { close(descriptor); });
  return map_descriptor(descriptor, path);
}

}  // namespace edgelab::models
