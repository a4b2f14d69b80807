# Cross build with Debian's crossbuild-essential-arm64 against the root that `./lab setup --aarch64` unpacks; ./lab build aarch64
# names it. What is built runs under qemu-user, with the same root behind it; QEMU_CPU=cortex-a72 chooses the processor.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(EDGELAB_AARCH64_ROOT "" CACHE PATH "Root of Debian's arm64 packages: cluster/setup.sh --aarch64 --prefix prints it")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EDGELAB_AARCH64_ROOT)
if(NOT EXISTS "${EDGELAB_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu")
  message(FATAL_ERROR "EDGELAB_AARCH64_ROOT is '${EDGELAB_AARCH64_ROOT}', which holds no packages of arm64. Build with ./lab build aarch64.")
endif()
set(CMAKE_SYSROOT "${EDGELAB_AARCH64_ROOT}")
set(CMAKE_FIND_ROOT_PATH "${EDGELAB_AARCH64_ROOT}" ${CMAKE_PREFIX_PATH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${EDGELAB_AARCH64_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${EDGELAB_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${EDGELAB_AARCH64_ROOT}/usr/share/pkgconfig")

# FindMPI asks a compiler wrapper, and the wrappers of the other architecture don't run here.
set(_openmpi "${EDGELAB_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu/openmpi")
foreach(_language C CXX)
  set(MPI_${_language}_COMPILER_INCLUDE_DIRS "${_openmpi}/include" CACHE STRING "")
  set(MPI_${_language}_HEADER_DIR "${_openmpi}/include" CACHE PATH "")
  set(MPI_${_language}_LIB_NAMES mpi CACHE STRING "")
endforeach()
set(MPI_mpi_LIBRARY "${_openmpi}/lib/libmpi.so" CACHE FILEPATH "")

# FindHDF5 asks h5cc, which would name this machine's headers and libraries; without one it takes what is named.
set(HDF5_C_COMPILER_EXECUTABLE "" CACHE FILEPATH "")
set(HDF5_C_INCLUDE_DIR "${EDGELAB_AARCH64_ROOT}/usr/include/hdf5/serial" CACHE PATH "")
set(HDF5_hdf5_LIBRARY_RELEASE "${EDGELAB_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu/hdf5/serial/libhdf5.so" CACHE FILEPATH "")

find_program(EDGELAB_QEMU qemu-aarch64)
if(EDGELAB_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${EDGELAB_QEMU};-L;${EDGELAB_AARCH64_ROOT}")
endif()
