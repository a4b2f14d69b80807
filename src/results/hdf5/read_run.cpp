#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "results/content_hash.hpp"
#include "results/hdf5/handle.hpp"
#include "results/hdf5/problems.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/hdf5/stored.hpp"
#include "results/hdf5/table.hpp"
#include "results/schema/schema.hpp"

namespace edgelab::results {
namespace hdf5 {
namespace {

class Reader {
 public:
  Reader(hid_t file, hsize_t file_size, std::vector<std::string>* problems)
      : file_(file), file_size_(file_size), problems_(problems) {}

  RunRecord read() {
    check_schema();
    RunRecord run;
    read_record(file_, "", run);
    const Value fingerprint = text_attribute("schema_sha256");
    hashes_comparable_ = fingerprint == Value(schema_fingerprint());
    if (problems_ != nullptr) check_hashes(run);
    return run;
  }

 private:
  template <class Record>
  struct Parts;

  Value text_attribute(const char* name) {
    return read_attribute(file_, "/", {name, Kind::text, true, "", "", false}, file_size_);
  }

  void check_schema() {
    const Value schema = text_attribute("schema");
    if (std::holds_alternative<std::monostate>(schema))
      throw Failure("it has no attribute 'schema': it was not made by edgelab");
    if (std::get<std::string>(schema) != kSchemaName) {
      throw Failure("its schema is '" + std::get<std::string>(schema) + "', this edgelab reads '" + kSchemaName + "'");
    }
  }

  // With a list of problems the walk goes on after one; without, the first one ends it.
  template <class Step>
  void attempt(const std::string& where, Step step) {
    if (problems_ == nullptr) return step();
    try {
      step();
    } catch (const Failure& failure) {
      problems_->push_back(where + ": " + failure.what());
    } catch (const Error& error) {
      problems_->push_back(where + ": " + error.what());
    }
  }

  template <class Record>
  void read_record(hid_t group, const std::string& where, Record& record) {
    for (const auto& field : Schema<Record>::fields) {
      attempt(where + "/@" + field.name,
              [&] { set_value(record, field, read_attribute(group, where, info_of(field), file_size_)); });
    }
    Parts<Record> parts{*this, group, where + "/", record};
    Schema<Record>::parts(parts);
    if constexpr (std::is_same_v<Record, JobRecord>) {
      if (problems_ != nullptr)
        job_hashes_.push_back(
            read_attribute(group, where, {"content_sha256", Kind::text, true, "", "", false}, file_size_));
    }
  }

  void check_hashes(const RunRecord& run) {
    if (!hashes_comparable_) return;
    const auto compare = [&](const std::string& where, const Value& stored, const std::string& computed) {
      if (stored != Value(computed))
        problems_->push_back(where + ": a value has changed since the file was written (content_sha256 differs)");
    };
    compare("/", text_attribute("content_sha256"), content_hash_of_frame(run));
    for (std::size_t i = 0; i < run.jobs.size() && i < job_hashes_.size(); ++i)
      compare("/jobs/" + run.jobs[i].id, job_hashes_[i], content_hash_of(run.jobs[i]));
  }

  hid_t file_;
  hsize_t file_size_;
  std::vector<std::string>* problems_;
  std::vector<Value> job_hashes_;
  bool hashes_comparable_ = false;
};

template <class Element>
hid_t memory_type() {
  if constexpr (std::is_same_v<Element, std::int64_t>)
    return H5T_NATIVE_INT64;
  else if constexpr (std::is_same_v<Element, std::int32_t>)
    return H5T_NATIVE_INT32;
  else if constexpr (std::is_same_v<Element, float>)
    return H5T_NATIVE_FLOAT;
  else
    return H5T_NATIVE_DOUBLE;
}

template <class Record>
struct Reader::Parts {
  Reader& reader;
  hid_t parent;
  std::string where;
  Record& record;

  void text(const char* name, std::string Record::*member, const char*) {
    reader.attempt(where + name, [&] {
      if (has_link(parent, name))
        record.*member = read_text(open_dataset(parent, name), where + name, reader.file_size_);
    });
  }

  template <class Sub>
  void group(const char* name, Sub Record::*member, Presence<Sub>, const char*) {
    reader.attempt(where + name, [&] {
      if (has_link(parent, name))
        reader.read_record(open_group(parent, name).id(), where + name, record.*member);
      else if (std::string_view(name) == "provenance")
        throw Failure("the group is missing");
    });
  }

  template <class Row>
  void groups(const char* name, std::vector<Row> Record::*member, Key<Row>, const char*) {
    reader.attempt(where + name, [&] {
      if (!has_link(parent, name)) return;
      const Handle list = open_group(parent, name);
      for (const std::string& child : child_names(list.id(), reader.file_size_)) {
        reader.attempt(where + name + "/" + child, [&] {
          const Handle group = open_group(list.id(), child);
          reader.read_record(group.id(), where + name + "/" + child, (record.*member).emplace_back());
        });
      }
    });
  }

  template <class Row>
  void table(const char* name, std::vector<Row> Record::*member, const char*) {
    reader.attempt(where + name, [&] {
      if (!has_link(parent, name)) return;
      const auto rows = read_table(open_dataset(parent, name).id(), where + name, columns_of<Row>(), reader.file_size_);
      for (const std::vector<Value>& values : rows) {
        Row& row = (record.*member).emplace_back();
        for (std::size_t i = 0; i < values.size(); ++i) set_value(row, Schema<Row>::fields[i], values[i]);
      }
    });
  }

  template <class Element>
  void array(const ArrayPart<Record, Element>& part) {
    reader.attempt(where + part.name, [&] {
      if (!has_link(parent, part.name)) return;
      const Handle dataset = open_dataset(parent, part.name);
      const std::vector<hsize_t> extents = array_extents(dataset, where + part.name, std::is_floating_point_v<Element>,
                                                         part.axes.size(), reader.file_size_);
      auto& elements = record.*part.data;
      std::size_t count = 1;
      for (const hsize_t extent : extents) count *= static_cast<std::size_t>(extent);
      elements.resize(count);
      if (count > 0)
        checked(H5Dread(dataset.id(), memory_type<Element>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, elements.data()),
                "read '" + where + part.name + "'");
      for (std::size_t i = 0; i < extents.size(); ++i)
        set_extent(record, part.axes[i], static_cast<std::int64_t>(extents[i]));
    });
  }
};

// Opened once by ourselves, for a plain reason why not: HDF5's own words for a missing file fill a screen.
hsize_t size_of_readable_file(const std::filesystem::path& path) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (!there)
    throw Error(ErrorKind::environment, std::string("the results file can't be opened: ") + std::strerror(errno))
        .at({path.string()});
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::environment, "this is not a file").at({path.string()}).expected("an edgelab results file");
  return static_cast<hsize_t>(status.st_size);
}

RunRecord read_file(const std::filesystem::path& path, std::vector<std::string>* problems) {
  const hsize_t file_size = size_of_readable_file(path);
  const QuietErrors quiet;
  try {
    const Handle access = property_list(H5P_FILE_ACCESS);
    // Files are replaced whole, so a reader needs no lock; and HDF5's locks fail on many network file systems.
    checked(H5Pset_file_locking(access.id(), false, true), "switch off file locks");
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), &H5Fclose, "open it");
    return Reader(file.id(), file_size, problems).read();
  } catch (const Failure& failure) {
    throw Error(ErrorKind::data, std::string("this is no sound results file: ") + failure.what()).at({path.string()});
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::data, "this is no sound results file: it asks for more memory than there is")
        .at({path.string()});
  }
}

}  // namespace

RunRecord read_with_problems(const std::filesystem::path& path, std::vector<std::string>& problems) {
  return read_file(path, &problems);
}

}  // namespace hdf5

RunRecord read_run(const std::filesystem::path& path) { return hdf5::read_file(path, nullptr); }

}  // namespace edgelab::results
