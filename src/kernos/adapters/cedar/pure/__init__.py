"""Pure: Cedar read, checked and evaluated in Python alone, for platforms that cedarpy has no build for."""
