#include "app/commands.hpp"
#include "tasks/task.hpp"

int main(int argc, char** argv) { return edgelab::app::run_commands(argc, argv, edgelab::tasks::run_task); }
