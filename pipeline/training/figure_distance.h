// How far a point is from the edge of each figure: signed distances, negative inside.
#pragma once

#include "pipeline/training/scene.h"

namespace waggle::training {

/// Of the figure whose box is centred at (0, 0) and whose longer half side is 1; y downwards. Exact near the
/// edge, a bound far from it.
double figure_distance(Shape shape, double x, double y);

}  // namespace waggle::training
