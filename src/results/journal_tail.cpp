#include "results/journal_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "core/file.hpp"

namespace edgelab::results {
namespace {

// Takes the whole lines off `text`. Returns how many bytes that were.
std::uint64_t take_lines(std::string& text, std::vector<Fact>& facts) {
  std::size_t begin = 0;
  for (std::size_t feed = text.find('\n'); feed != std::string::npos; feed = text.find('\n', begin)) {
    if (auto line = parse_journal_line(std::string_view(text).substr(begin, feed - begin)))
      facts.push_back(std::move(line->fact));
    begin = feed + 1;
  }
  text.erase(0, begin);
  return begin;
}

}  // namespace

// A torn end is read again each time, since whoever goes on with the file cuts it off first.
JournalTail::News JournalTail::look() {
  News news;
  FileDescriptor opened = open_file(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!opened.open()) {
    if (errno == ENOENT) return news;
    throw file_error("the journal can't be read", path_, errno);
  }
  struct stat status {};
  if (::fstat(opened.number(), &status) != 0) throw file_error("the journal can't be read", path_, errno);
  if (status.st_ino != file_ || status.st_dev != device_ || static_cast<std::uint64_t>(status.st_size) < told_) {
    news.anew = told_ > 0;
    file_ = status.st_ino;
    device_ = status.st_dev;
    told_ = 0;
  }
  if (::lseek(opened.number(), static_cast<off_t>(told_), SEEK_SET) < 0)
    throw file_error("the journal can't be read", path_, errno);
  InputFile input(path_, std::move(opened));
  std::array<std::uint8_t, 1 << 16> piece;
  std::string text;
  while (const std::size_t count = input.read(piece)) {
    text.append(reinterpret_cast<const char*>(piece.data()), count);
    told_ += take_lines(text, news.facts);
  }
  return news;
}

}  // namespace edgelab::results
