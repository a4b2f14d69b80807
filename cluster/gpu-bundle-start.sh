#!/bin/sh
# Starts the edgelab of a bundle that cluster/gpu-bundle.sh has made: with the bundle's own libraries, as one rank.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 3

export OPAL_PREFIX="$here/mpi" PMIX_INSTALL_PREFIX="$here/mpi"
export PMIX_MCA_mca_base_component_path="$here/mpi/pmix"
# One rank needs no daemon beside it.
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_osc=^ucx
# Behind the bundle's, the driver's: libcuda.so.1 is where the host's loader finds it.
exec "$here/lib/loader" --library-path "$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$here/bin/edgelab" "$@"
