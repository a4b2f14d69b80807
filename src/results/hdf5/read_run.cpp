#include "core/error.hpp"
#include "results/content_hash.hpp"
#include "results/hdf5/handle.hpp"
#include "results/hdf5/reading.hpp"
#include "results/hdf5/stored.hpp"
#include "results/hdf5/table.hpp"
#include "results/schema/schema.hpp"

namespace edgelab::results::hdf5 {
namespace {

class Reader {
 public:
  Reader(hid_t file, hsize_t file_size, std::vector<std::string>* problems)
      : file_(file), file_size_(file_size), problems_(problems) {}

  void read(RunRecord& run) {
    check_schema();
    read_record(file_, "", run);
    const Value fingerprint = text_attribute("schema_sha256");
    hashes_comparable_ = fingerprint == Value(schema_fingerprint());
    if (problems_ != nullptr) check_hashes(run);
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
  else if constexpr (std::is_same_v<Element, std::uint8_t>)
    return H5T_NATIVE_UINT8;
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
      // Extents first: where reading fails and verify goes on, they still fit the elements.
      for (std::size_t i = 0; i < extents.size(); ++i)
        set_extent(record, part.axes[i], static_cast<std::int64_t>(extents[i]));
      elements.resize(count);
      if (count > 0)
        checked(H5Dread(dataset.id(), memory_type<Element>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, elements.data()),
                "read '" + where + part.name + "'");
    });
  }
};

}  // namespace

Reading read_here(const std::filesystem::path& path, OnProblem on_problem) {
  const QuietErrors quiet;
  Reading reading;
  try {
    const Handle access = property_list(H5P_FILE_ACCESS);
    // Files are replaced whole, so a reader needs no lock; and HDF5's locks fail on many network file systems.
    checked(H5Pset_file_locking(access.id(), false, true), "switch off file locks");
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), &H5Fclose, "open it");
    // Not H5Fget_filesize: that believes what the file says of itself.
    Reader reader(file.id(), std::filesystem::file_size(path), on_problem == OnProblem::go_on ? &reading.problems : nullptr);
    reader.read(reading.run);
  } catch (const Failure& failure) {
    reading.failure = failure.what();
  } catch (const std::bad_alloc&) {
    reading.failure = "it asks for more memory than there is";
  } catch (const std::exception& error) {
    reading.failure = error.what();
  }
  return reading;
}

}  // namespace edgelab::results::hdf5
