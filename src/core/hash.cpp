#include "core/hash.hpp"

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"

namespace edgelab {
namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }
  void add(const void* bytes, std::size_t size) { check(EVP_DigestUpdate(context_.get(), bytes, size) == 1); }
  std::string hexadecimal() {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    check(EVP_DigestFinal_ex(context_.get(), sum, &length) == 1);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text += "0123456789abcdef"[sum[i] >> 4];
      text += "0123456789abcdef"[sum[i] & 15];
    }
    return text;
  }

 private:
  static void check(bool ok) {
    if (!ok) throw Error(ErrorKind::environment, "OpenSSL could not compute a checksum");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string digest_of_file(const std::filesystem::path& path, const EVP_MD* algorithm) {
  InputFile file(path);
  Digest digest(algorithm);
  std::vector<std::uint8_t> piece(1 << 20);
  while (const std::size_t size = file.read(piece)) digest.add(piece.data(), size);
  return digest.hexadecimal();
}

}  // namespace

std::string sha256_of(std::span<const std::byte> bytes) {
  Digest digest(EVP_sha256());
  digest.add(bytes.data(), bytes.size());
  return digest.hexadecimal();
}

std::string sha256_of_text(std::string_view text) { return sha256_of(std::as_bytes(std::span(text))); }
std::string sha256_of_file(const std::filesystem::path& path) { return digest_of_file(path, EVP_sha256()); }
std::string md5_of_file(const std::filesystem::path& path) { return digest_of_file(path, EVP_md5()); }

}  // namespace edgelab
