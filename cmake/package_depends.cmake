# Read by cpack when the program is there: the package depends on what brings the libraries that it names, and on mpirun and ssh.
execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/package_depends.sh" "${CPACK_EDGELAB_PROGRAM}" "${CPACK_EDGELAB_ROOT}"
                OUTPUT_VARIABLE CPACK_DEBIAN_PACKAGE_DEPENDS OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
