# edgelab_library(<folder> LEVEL <n> [CONTROL] [USES <folders…>] [LINKS <outside targets…>])
# makes the static library edgelab_<folder> of every .cpp below src/<folder>.
# CONTROL says that no time is spent in it: it is compiled at -O1, in two thirds of the time that -O3 takes.
# LEVEL is the folder's level in docs/architecture.md; a folder of the same or a higher level can't be used.
function(edgelab_library name)
  cmake_parse_arguments(ARG "CONTROL" "LEVEL" "USES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(edgelab_${name} STATIC ${sources})
  set_property(TARGET edgelab_${name} PROPERTY EDGELAB_LEVEL ${ARG_LEVEL})
  edgelab_target(edgelab_${name})
  if(ARG_CONTROL)
    edgelab_compile_quickly(edgelab_${name})
  endif()
  foreach(used IN LISTS ARG_USES)
    get_property(level TARGET edgelab_${used} PROPERTY EDGELAB_LEVEL)
    if(NOT level LESS ARG_LEVEL)
      message(FATAL_ERROR "src/${name} (level ${ARG_LEVEL}) can't use src/${used} (level ${level}): includes go down only")
    endif()
    target_link_libraries(edgelab_${name} PUBLIC edgelab_${used})
  endforeach()
  target_link_libraries(edgelab_${name} PRIVATE ${ARG_LINKS})
endfunction()

# What every target of ours is compiled with.
function(edgelab_target target)
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;$<$<BOOL:${EDGELAB_WERROR}>:-Werror>>")
  # Not -Wpedantic: the C++ that nvcc hands to g++ has GNU line markers, and pragmas that are the device's alone.
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wshadow,-Wno-unknown-pragmas;$<$<BOOL:${EDGELAB_WERROR}>:-Werror=all-warnings;-Xcompiler=-Werror>>")
  # No a*b+c in one rounding that the source doesn't ask for: GCC would on Arm and not on x86, and a picture that shapes10 draws, or a
  # reference's sum, has to be the same on both. Kernels ask for it, by Highway's MulAdd.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
  # GCC 12 sees overlapping copies in std::string's operator+ that are not there (GCC bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  endif()
  if(EDGELAB_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${EDGELAB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=${EDGELAB_SANITIZE})
  endif()
endfunction()

function(edgelab_compile_quickly target)
  target_compile_options(${target} PRIVATE "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O1>")
endfunction()

# What belongs to the tests: what every target of ours is compiled with, but quickly. Of what it takes to compile at -O3 a third is
# optimising code that runs once; what is measured lies in the libraries.
function(edgelab_test_target target)
  edgelab_target(${target})
  edgelab_compile_quickly(${target})
endfunction()

# A program of GoogleTest. What each of its sources includes first is compiled once for all of these programs.
function(edgelab_test_program target)
  add_executable(${target} ${ARGN})
  edgelab_test_target(${target})
  target_precompile_headers(${target} REUSE_FROM edgelab_test_headers)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # for ccache
endfunction()
