/// \file
/// queues/fwd.hpp by its name of before.
#include "queues/fwd.hpp"
