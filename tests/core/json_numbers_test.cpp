#include "core/json_numbers.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace edgelab {

struct Counts {
  int small = 0;
  std::int64_t large = 0;
  std::size_t size = 0;
  bool flag = false;
  double real = 0;
};
EDGELAB_JSON_MEMBERS(Counts, small, large, size, flag, real)

namespace {

using nlohmann::json;

TEST(JsonNumbers, AreTakenWhereTheyAreWholeAndFit) {
  EXPECT_EQ(whole_number<int>(json(-7)), -7);
  EXPECT_EQ(whole_number<std::uint8_t>(json(255)), 255);
  EXPECT_EQ(whole_number<std::uint64_t>(json::parse("18446744073709551615")), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(whole_number<std::int64_t>(nlohmann::ordered_json(std::numeric_limits<std::int64_t>::min())), std::numeric_limits<std::int64_t>::min());
  for (const char* text : {"1e300", "155555555555555555555555", "2147483648", "-2147483649", "1.5", "1.0", "true", "\"1\"", "null", "[1]"}) {
    EXPECT_THROW(whole_number<int>(json::parse(text)), json::type_error) << text;
  }
  EXPECT_THROW(whole_number<std::size_t>(json(-1)), json::type_error);
}

TEST(JsonNumbers, MembersComeBackAsTheyWere) {
  const Counts counts{-3, std::int64_t{1} << 40, 12, true, 0.25};
  const auto again = json(counts).get<Counts>();
  EXPECT_EQ(again.small, counts.small);
  EXPECT_EQ(again.large, counts.large);
  EXPECT_EQ(again.size, counts.size);
  EXPECT_EQ(again.flag, counts.flag);
  EXPECT_EQ(again.real, counts.real);
  json wrong = counts;
  wrong["small"] = 1e300;
  EXPECT_THROW(wrong.get<Counts>(), json::type_error);
  wrong.erase("small");
  EXPECT_THROW(wrong.get<Counts>(), json::out_of_range);
}

}  // namespace
}  // namespace edgelab
