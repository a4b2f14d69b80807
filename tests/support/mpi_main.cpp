// GoogleTest under mpirun: every rank runs every test, and the program fails if one rank fails.
#include <gtest/gtest.h>
#include <mpi.h>

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  testing::InitGoogleTest(&argc, argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != 0) delete testing::UnitTest::GetInstance()->listeners().Release(
      testing::UnitTest::GetInstance()->listeners().default_result_printer());
  class FailurePrinter : public testing::EmptyTestEventListener {
    void OnTestPartResult(const testing::TestPartResult& result) override {
      if (!result.failed()) return;
      int my_rank = 0;
      MPI_Comm_rank(MPI_COMM_WORLD, &my_rank);
      fprintf(stderr, "rank %d: %s:%d: %s\n", my_rank, result.file_name() ? result.file_name() : "?", result.line_number(), result.message());
    }
  };
  if (rank != 0) testing::UnitTest::GetInstance()->listeners().Append(new FailurePrinter);
  const int mine = RUN_ALL_TESTS();
  int worst = 0;
  MPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return worst;
}
