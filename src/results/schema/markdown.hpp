#pragma once

#include <string>

namespace edgelab::results {

// results/schema.md: every group, dataset, column and attribute, as the schema has them.
std::string schema_markdown();

}  // namespace edgelab::results
