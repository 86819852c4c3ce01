// SPDX-License-Identifier: Apache-2.0

/**
 * What a guest that fills its quota costs: {@code virtio4j bench --quota}.
 *
 * <p>Two guests with an IOMMU each, in one process and on two threads. {@link
 * org.virtio4j.benchmarks.quota.GreedyGuest} asks for six times as many mappings as it may have, and unmaps all of
 * them. {@link org.virtio4j.benchmarks.quota.SteadyGuest} maps and unmaps single pages all the while, and times each
 * MAP. {@link org.virtio4j.benchmarks.quota.QuotaRun} has them work one after the other and at the same time, and looks
 * at the memory of the process in between, while both wait.
 */
@NullMarked
package org.virtio4j.benchmarks.quota;

import org.jspecify.annotations.NullMarked;
