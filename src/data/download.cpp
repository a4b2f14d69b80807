#include "data/download.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "core/file.hpp"

namespace edgelab::data {
namespace {

constexpr std::uint64_t kMaxBytes = 2ull << 30;
constexpr long kMaxRedirects = 5;
constexpr long kConnectSeconds = 30;
// A transfer of less than this for so long is broken.
constexpr long kStalledBytesPerSecond = 100, kStalledSeconds = 60;

// One request. The callbacks run inside curl, which is C: an exception waits in `failure`.
struct Transfer {
  CURL* handle = nullptr;
  OutputFile& file;
  const Progress& progress;
  std::uint64_t asked_from = 0;            // first byte asked for
  std::optional<std::uint64_t> sent_from;  // as Content-Range states it
  bool began = false;
  bool started_over = false;
  std::exception_ptr failure;
};

template <class Work>
bool guarded(Transfer& transfer, const Work& work) {
  try {
    work();
    return true;
  } catch (...) {
    transfer.failure = std::current_exception();
    return false;
  }
}

long status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// "content-range: bytes 100-199/200" → 100
std::optional<std::uint64_t> range_start(std::string_view header) {
  constexpr std::string_view kName = "content-range:";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (header.size() < kName.size() ||
      !std::equal(kName.begin(), kName.end(), header.begin(), [&](char b, char a) { return same(a, b); })) {
    return std::nullopt;
  }
  const std::size_t digit = header.find_first_of("0123456789");
  if (digit == std::string_view::npos) return std::nullopt;
  std::uint64_t start = 0;
  const auto parsed = std::from_chars(header.data() + digit, header.data() + header.size(), start);
  return parsed.ec == std::errc() ? std::optional(start) : std::nullopt;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) transfer.sent_from.reset();  // a redirect's headers are not the answer's
  if (const auto start = range_start(line)) transfer.sent_from = start;
  return size * count;
}

// Settles, when the first bytes come, whether they go on from what is there.
void begin_body(Transfer& transfer) {
  const bool range = status_of(transfer.handle) == 206;
  if (transfer.asked_from == 0 || (range && transfer.sent_from == transfer.asked_from)) return;
  transfer.file.truncate();
  transfer.started_over = true;
  if (!range) return;
  throw Error(ErrorKind::environment, "the server sent another part of the file than it was asked for")
      .at({transfer.file.path().string()})
      .got(transfer.sent_from ? fmt::format("bytes from {}", *transfer.sent_from) : "bytes from somewhere")
      .expected(fmt::format("bytes from {}", transfer.asked_from))
      .hint("run the command again: it starts from the beginning");
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto write = [&] {
    if (!transfer.began) {
      transfer.began = true;
      begin_body(transfer);
    }
    if (transfer.file.size() + size * count > kMaxBytes) {
      throw Error(ErrorKind::environment, "the download is larger than any data set edgelab knows")
          .at({transfer.file.path().string()})
          .expected(fmt::format("at most {} bytes", kMaxBytes));
    }
    transfer.file.write(std::as_bytes(std::span(bytes, size * count)));
  };
  return guarded(transfer, write) ? size * count : 0;
}

int on_progress(void* user, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::int64_t before = transfer.started_over ? 0 : static_cast<std::int64_t>(transfer.asked_from);
  const auto report = [&] { transfer.progress(before + done, total > 0 ? before + total : 0); };
  return !transfer.progress || guarded(transfer, report) ? 0 : 1;
}

std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> new_handle() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(started == CURLE_OK ? curl_easy_init() : nullptr,
                                                             &curl_easy_cleanup);
  if (handle == nullptr) throw Error(ErrorKind::environment, "libcurl can't be started");
  return handle;
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK)
    throw Error(ErrorKind::environment, fmt::format("libcurl refuses a setting: {}", curl_easy_strerror(code)));
}

void configure(CURL* handle, const std::string& url, Transfer& transfer) {
  set(handle, CURLOPT_URL, url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, "https,http");
  set(handle, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https:") ? "https" : "https,http");
  set(handle, CURLOPT_FOLLOWLOCATION, 1L);
  set(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
  set(handle, CURLOPT_FAILONERROR, 1L);
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(handle, CURLOPT_LOW_SPEED_LIMIT, kStalledBytesPerSecond);
  set(handle, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  set(handle, CURLOPT_USERAGENT, "edgelab");
  set(handle, CURLOPT_HEADERFUNCTION, &on_header);
  set(handle, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(handle, CURLOPT_WRITEFUNCTION, &on_body);
  set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(handle, CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  set(handle, CURLOPT_NOPROGRESS, 0L);
}

enum class Outcome { complete, broken, range_refused };

struct Attempt {
  Outcome outcome;
  bool resumed;
  std::string reason;
};

// Whether another attempt may do better: the line broke, as against an address or a page that isn't there.
bool may_go_on(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR || code == CURLE_HTTP2_STREAM ||
         code == CURLE_HTTP2;
}

[[noreturn]] void throw_failure(CURLcode code, const std::string& reason, const std::string& url) {
  const bool unreachable =
      code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY;
  throw Error(ErrorKind::environment, fmt::format("the download failed: {}", reason))
      .at({url})
      .hint(unreachable ? "is this machine on the network? The archive may also be fetched elsewhere and unpacked by "
                          "hand (docs/data.md)"
                        : "check the url in the configuration, or try again later");
}

Attempt attempt(const std::string& url, OutputFile& file, const Progress& progress) {
  const auto handle = new_handle();
  char reason[CURL_ERROR_SIZE] = {};
  Transfer transfer{handle.get(), file, progress, file.size(), {}, false, false, {}};
  configure(handle.get(), url, transfer);
  set(handle.get(), CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
  const std::string range = fmt::format("{}-", transfer.asked_from);
  // Not CURLOPT_RESUME_FROM: that makes an error of a server that ignores ranges.
  if (transfer.asked_from > 0) set(handle.get(), CURLOPT_RANGE, range.c_str());

  const CURLcode code = curl_easy_perform(handle.get());
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  const std::string text = reason[0] != '\0' ? reason : curl_easy_strerror(code);
  const bool resumed = transfer.asked_from > 0 && !transfer.started_over;
  if (code == CURLE_OK) return {Outcome::complete, resumed, ""};
  if (code == CURLE_HTTP_RETURNED_ERROR && status_of(handle.get()) == 416)
    return {Outcome::range_refused, resumed, text};
  if (may_go_on(code)) return {Outcome::broken, resumed, text};
  throw_failure(code, text, url);
}

}  // namespace

DownloadResult download(const std::string& url, const std::filesystem::path& part, const Progress& progress) {
  OutputFile file(part, OutputFile::Mode::append);
  DownloadResult result;
  while (true) {
    const std::uint64_t before = file.size();
    const Attempt done = attempt(url, file, progress);
    result.resumed = done.resumed;
    if (done.outcome == Outcome::complete) break;
    // The server has nothing after what is there: all of it, or bytes of something else. The checksum tells.
    if (done.outcome == Outcome::range_refused && before > 0) {
      result.resumed = true;
      break;
    }
    if (file.size() <= before) {
      file.sync();
      throw Error(ErrorKind::environment, fmt::format("the download broke off: {}", done.reason))
          .at({url})
          .got(fmt::format("{} bytes so far", file.size()))
          .hint("run the command again: it goes on from there");
    }
  }
  file.sync();
  return result;
}

}  // namespace edgelab::data
