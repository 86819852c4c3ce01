// SPDX-License-Identifier: Apache-2.0

/**
 * What the commands of this project have in common, the benchmarks' too: options and how a mistyped one is answered,
 * what becomes of failures, files that are written whole or not at all, Ctrl-C, JSON. Exported to nobody: it is no
 * library for embedders.
 */
@NullMarked
package org.virtio4j.launcher.command;

import org.jspecify.annotations.NullMarked;
