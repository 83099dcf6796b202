// The program `waggle`.
#include "consumer/cli/program.h"

int main(int argc, char** argv) { return waggle::cli::run(argc, argv); }
