#pragma once

#include "support/expect_error.hpp"

namespace edgelab::data::test {

using edgelab::test::message_of;

}  // namespace edgelab::data::test
