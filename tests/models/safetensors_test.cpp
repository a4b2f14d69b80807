#include "models/safetensors/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <optional>

#include "core/error.hpp"
#include "support/power_cut.hpp"
#include "support/temporary_directory.hpp"
#include "support/tight_disk.hpp"

namespace edgelab::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string length_bytes(std::uint64_t length) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

std::string file_of(const std::string& header, const std::string& data) { return length_bytes(header.size()) + header + data; }

void write_text(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class SafetensorsFile : public testing::Test {
 protected:
  // The message of the Error that opening a file of these bytes throws; "" if it throws none.
  std::string refusal(const std::string& bytes, ErrorKind kind = ErrorKind::data) {
    write_text(path(), bytes);
    try {
      Safetensors::open(path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_EQ(error.place().file, path().string());
      return error.what();
    }
    return "";
  }
  // As refusal(), of a file with this header and eight bytes of data.
  std::string header_refusal(const std::string& header) { return refusal(file_of(header, "abcdefgh")); }

  std::filesystem::path path() const { return folder_ / "w.safetensors"; }
  test::TemporaryDirectory folder_;
};

std::vector<NamedTensor> one_of_each_type() {
  std::vector<NamedTensor> tensors;
  int value = 1;
  for (const DType type : {DType::s8, DType::f32, DType::bf16, DType::u8, DType::s64, DType::f16, DType::s32}) {
    Tensor tensor(type, {3, 1});
    for (std::size_t i = 0; i < tensor.bytes(); ++i) tensor.data()[i] = static_cast<std::byte>(value++);
    tensors.push_back({"t." + std::string(safetensors_name_of(type)), tensor});
  }
  tensors.push_back({"scalar", Tensor(DType::f32, Shape{})});
  tensors.push_back({"empty", Tensor(DType::f32, {0, 5})});
  return tensors;
}

TEST_F(SafetensorsFile, ReadsBackEveryTypeItWrote) {
  const auto tensors = one_of_each_type();
  write_safetensors(path(), tensors, {{"format", "pt"}, {"note", "tab\t\"quote\" ü"}});
  const auto file = Safetensors::open(path());
  EXPECT_EQ(file.tensors().size(), tensors.size());
  EXPECT_EQ(file.metadata().at("note"), "tab\t\"quote\" ü");
  for (const NamedTensor& wrote : tensors) {
    const Tensor* read = file.find(wrote.name);
    ASSERT_NE(read, nullptr) << wrote.name;
    EXPECT_EQ(read->dtype(), wrote.tensor.dtype());
    EXPECT_EQ(read->shape(), wrote.tensor.shape());
    EXPECT_EQ(std::memcmp(read->data(), wrote.tensor.data(), wrote.tensor.bytes()), 0) << wrote.name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->data()) % size_of(read->dtype()), 0u) << wrote.name;
  }
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".part"));
}

TEST_F(SafetensorsFile, TensorsOutliveTheFileObjectAndThePath) {
  Tensor tensor(DType::f32, {2});
  tensor.as<float>()[1] = 2.5f;
  write_safetensors(path(), std::vector<NamedTensor>{{"x", tensor}});
  Tensor view = *Safetensors::open(path()).find("x");
  std::filesystem::remove(path());
  EXPECT_EQ(view.as<float>()[1], 2.5f);
}

TEST_F(SafetensorsFile, WritingToAViewLeavesTheFileAsItIs) {
  write_safetensors(path(), std::vector<NamedTensor>{{"x", Tensor(DType::f32, {2})}});
  const std::string before = read_text(path());
  Tensor view = *Safetensors::open(path()).find("x");
  view.as<float>()[0] = 7.0f;
  EXPECT_EQ(read_text(path()), before);
}

TEST_F(SafetensorsFile, CopiesATensorThatLiesUnaligned) {
  float value = 1.5f;
  std::string data = "a";
  data.append(reinterpret_cast<const char*>(&value), 4);
  std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  write_text(path(), file_of(header, data));
  const auto file = Safetensors::open(path());
  EXPECT_EQ(file.find("x")->as<float>()[0], 1.5f);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.find("x")->data()) % 4, 0u);
}

TEST_F(SafetensorsFile, AcceptsAFileWithoutTensors) {
  EXPECT_EQ(refusal(file_of("{}", "")), "");
  EXPECT_EQ(refusal(file_of(R"({"__metadata__":{}}   )", "")), "");
}

TEST_F(SafetensorsFile, RefusesAMissingFileAsTheEnvironmentsFault) {
  try {
    Safetensors::open(folder_ / "none.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("none.safetensors"), HasSubstr("No such file")));
  }
  EXPECT_THROW(Safetensors::open(folder_.path()), Error);
}

TEST_F(SafetensorsFile, RefusesAFalseHeaderLength) {
  const std::string body = "{}";
  EXPECT_THAT(refusal(""), HasSubstr("got 0 bytes"));
  EXPECT_THAT(refusal("1234567"), HasSubstr("too short"));
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 31, std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_THAT(refusal(length_bytes(length) + body), AllOf(HasSubstr("got " + std::to_string(length) + " bytes"), HasSubstr("at most 2"))) << length;
  }
  EXPECT_THAT(refusal(length_bytes(0) + body), HasSubstr("beginning with {"));
}

TEST_F(SafetensorsFile, NamesTheFormatsOwnBoundOnTheHeader) {
  write_text(path(), length_bytes(100'000'001));
  std::filesystem::resize_file(path(), 200'000'000);  // sparse
  try {
    Safetensors::open(path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("at most 100000000"), HasSubstr("the format's bound")));
  }
}

TEST_F(SafetensorsFile, RefusesEveryMalformedHeaderByNameAndReason) {
  const std::string good = R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  ASSERT_EQ(header_refusal("{" + good + "}"), "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{" + good, "not JSON"},
      {"{" + good + "} x", "not JSON"},
      {"{" + good + "}{}", "not JSON"},
      {"[" + good + "]", "beginning with {"},
      {R"({"x":[]})", "an object {…} that describes a tensor"},
      {R"({"x":null})", "got null"},
      {R"({"x":{}})", "lacks a key (expected dtype)"},
      {R"({"x":{"dtype":"F32","shape":[2]}})", "lacks a key (expected data_offsets)"},
      {R"({"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", "got \"F64\", expected F32, F16"},
      {R"({"x":{"dtype":3,"shape":[1],"data_offsets":[0,8]}})", "key \"dtype\" (got 3, expected a text)"},
      {R"({"x":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "key \"shape\" (got 2, expected a list"},
      {R"({"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "got -2"},
      {R"({"x":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "got \"2.0\""},
      {R"({"x":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", "got \"2\""},
      {R"({"x":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "got a list"},
      {R"({"x":{"dtype":"F32","shape":[1,1,1,1,1,1,2],"data_offsets":[0,8]}})", "too many numbers in shape"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "too many numbers in data_offsets"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "got 1 numbers"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "lie outside the file"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", "lie outside the file"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]}})", "got 18446744073709551615"},
      {R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "got 8 bytes, expected [3] F32 = 12 bytes"},
      {R"({"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", "more than 2^63"},
      {R"({"x":{"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,8]}})", "has another length"},
      {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "bytes after the last tensor"},
      {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "\"x\" leaves a hole"},
      {"{" + good + R"(,"y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "\"y\" overlaps"},
      {"{" + good + "," + good + "}", "names \"x\" twice"},
      {R"({"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "names \"dtype\" twice"},
      {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"color":1}})", "unknown key (got \"color\""},
      {R"({"__metadata__":{"a":1},)" + good + "}", "expected a text"},
      {R"({"__metadata__":{"a":"1","a":"2"},)" + good + "}", "names \"a\" twice"},
      {R"({"__metadata__":{"a":{}},)" + good + "}", "expected a text"},
      {"{\"\xff\":{}}", "not JSON"},
      {"{\"a\":" + std::string(50'000, '['), "got a list"},
      {"{\"" + std::string(10'000, 'n') + "\":0}", "nnn…\""},
  };
  for (const auto& [header, reason] : cases) EXPECT_THAT(header_refusal(header), HasSubstr(reason)) << header.substr(0, 200);
}

TEST_F(SafetensorsFile, RefusesEveryTruncation) {
  write_safetensors(path(), one_of_each_type(), {{"format", "pt"}});
  const std::string whole = read_text(path());
  ASSERT_GT(whole.size(), 100u);
  for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
  EXPECT_NE(refusal(whole + "x"), "");
}

// A flipped bit in the header either leaves a file that reads (a letter of a name, say) or is refused with an Error.
TEST_F(SafetensorsFile, SurvivesFlippedBitsInEveryByteOfTheHeader) {
  write_safetensors(path(), one_of_each_type(), {{"format", "pt"}});
  const std::string whole = read_text(path());
  int refused = 0, accepted = 0;
  for (std::size_t i = 0; i < whole.size() - 60; ++i) {
    for (const std::size_t bit : {i % 8, (i + 3) % 8}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      if (refusal(changed).empty()) {
        ++accepted;
        for (const NamedTensor& item : Safetensors::open(path()).tensors()) EXPECT_EQ(item.tensor.to_f32().elements(), item.tensor.elements());
      } else {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 10);
}

TEST_F(SafetensorsFile, RefusesToWriteTwoTensorsOfOneName) {
  const std::vector<NamedTensor> twice = {{"x", Tensor(DType::f32, {1})}, {"x", Tensor(DType::f32, {1})}};
  EXPECT_THROW(write_safetensors(path(), twice), Error);
  EXPECT_THROW(write_safetensors(path(), std::vector<NamedTensor>{{"\xff", Tensor(DType::f32, {1})}}), Error);
  EXPECT_THROW(write_safetensors(path(), std::vector<NamedTensor>{{"__metadata__", Tensor(DType::f32, {1})}}), Error);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(SafetensorsFile, KeepsTheOldFileWhenTheDiskRefusesTheNewOne) {
  write_safetensors(path(), std::vector<NamedTensor>{{"x", Tensor(DType::f32, {1})}});
  const std::string before = read_text(path());
  ErrorKind kind = ErrorKind::usage;
  {
    const edgelab::test::TightDisk disk(1000);
    try {
      write_safetensors(path(), std::vector<NamedTensor>{{"x", Tensor(DType::f32, {5000})}});
    } catch (const Error& error) {
      kind = error.kind();
    }
  }
  EXPECT_EQ(kind, ErrorKind::environment);
  EXPECT_EQ(read_text(path()), before);
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".part"));
}

TEST_F(SafetensorsFile, IsTheOldOneOrTheNewOneAfterAPowerCut) {
  write_safetensors(path(), std::vector<NamedTensor>{{"x", Tensor(DType::f32, {1})}});
  const std::string before = read_text(path());
  std::optional<edgelab::test::RecordedDisk> disk(folder_.path());
  write_safetensors(path(), std::vector<NamedTensor>{{"x", Tensor(DType::f32, {500})}});
  const edgelab::test::DiskModel model = disk->model();
  disk.reset();
  const std::string after = read_text(path());
  edgelab::test::after_every_cut(model, 20, [&](const std::filesystem::path& root, std::size_t changes) {
    const std::string found = read_text(root / path().filename());
    EXPECT_TRUE(found == after || (found == before && changes < model.changes())) << "cut after change " << changes;
  });
}

TEST_F(SafetensorsFile, RefusesAFolderThatIsNotThere) {
  EXPECT_THROW(write_safetensors(folder_ / "no" / "w.safetensors", std::vector<NamedTensor>{}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no"));
}

}  // namespace
}  // namespace edgelab::models
