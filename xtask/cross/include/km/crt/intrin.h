/* The compiler's intrinsics. Reading declarations needs none of them. */
#pragma once
