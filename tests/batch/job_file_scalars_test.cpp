#include <gtest/gtest.h>

#include <random>

#include "batch/job_file/scalars.hpp"

namespace edgelab::batch {
namespace {

TEST(Scalars, WholeNumbersAreReadStrictly) {
  EXPECT_EQ(read_integer("0"), 0);
  EXPECT_EQ(read_integer("+12"), 12);
  EXPECT_EQ(read_integer("-3"), -3);
  EXPECT_EQ(read_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "-", "+", "01", "1.0", "1e3", "0x10", "1_000", "9223372036854775808", " 1", "1 "})
    EXPECT_FALSE(read_integer(text)) << text;
}

TEST(Scalars, NumbersAreFiniteDecimals) {
  EXPECT_EQ(read_number("1e-4"), 1e-4);
  EXPECT_EQ(read_number(".5"), 0.5);
  EXPECT_EQ(read_number("5."), 5.0);
  EXPECT_EQ(read_number("-2E+3"), -2000.0);
  for (const char* text : {"", ".", "e5", "1e", "1e+", "nan", ".nan", "inf", "-.inf", "1e999", "0x1p3", "1,5"})
    EXPECT_FALSE(read_number(text)) << text;
}

TEST(Scalars, BooleansAreWrittenInAFewWays) {
  for (const char* text : {"true", "True", "yes", "on"}) EXPECT_EQ(read_boolean(text), true);
  for (const char* text : {"false", "FALSE", "no", "off"}) EXPECT_EQ(read_boolean(text), false);
  for (const char* text : {"", "1", "tRue", "y"}) EXPECT_FALSE(read_boolean(text)) << text;
}

TEST(Scalars, DurationsNeedAUnit) {
  EXPECT_EQ(read_duration("12ms"), 12'000'000);
  EXPECT_EQ(read_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(read_duration("10m"), 600'000'000'000);
  EXPECT_EQ(read_duration("2h"), 7'200'000'000'000);
  EXPECT_EQ(read_duration("3us"), 3'000);
  EXPECT_EQ(read_duration("7ns"), 7);
  for (const char* text : {"12", "ms", "12 ms", "12min", "1e30h", "2161h"}) EXPECT_FALSE(read_duration(text)) << text;
}

TEST(Scalars, SizesCountInThousandsOrIn1024) {
  EXPECT_EQ(read_bytes("2GB"), 2'000'000'000);
  EXPECT_EQ(read_bytes("2GiB"), std::int64_t{2} << 30);
  EXPECT_EQ(read_bytes("1.5KB"), 1500);
  EXPECT_EQ(read_bytes("17"), 17);
  EXPECT_EQ(read_bytes("17B"), 17);
  for (const char* text : {"GB", "2gb", "2G", "1e30TB"}) EXPECT_FALSE(read_bytes(text)) << text;
}

TEST(Scalars, WhatIsWrittenReadsBackTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto shift = random() % 50;
    const std::int64_t whole = static_cast<std::int64_t>((random() >> 14) >> shift);
    if (whole <= 7'776'000'000'000'000) {
      EXPECT_EQ(read_duration(write_duration(whole)), whole);
    }
    EXPECT_EQ(read_bytes(write_bytes(whole)), whole);
    const double number = static_cast<double>(whole) / static_cast<double>(1 + random() % 1000);
    EXPECT_EQ(read_number(write_number(number)), number);
  }
  EXPECT_EQ(write_duration(0), "0ns");
  EXPECT_EQ(write_duration(600'000'000'000), "10m");
  EXPECT_EQ(with_thousands(1'234'567), "1,234,567");
  EXPECT_EQ(with_thousands(-1'000), "-1,000");
}

}  // namespace
}  // namespace edgelab::batch
