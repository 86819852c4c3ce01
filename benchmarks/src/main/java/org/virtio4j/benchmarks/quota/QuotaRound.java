// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.util.List;

/**
 * One time of filling six quotas and unmapping everything.
 *
 * @param memory           before, after each quota and after the UNMAP
 * @param alone            median MAP of the other guest while this one waited, in nanoseconds
 * @param besideFill       while the quota was filled
 * @param besideRefusals   while five more quotas were refused
 * @param besideUnmap      while everything was unmapped by one request
 * @param mapNanos         what a MAP took that was answered with {@code OK}, 64 a doorbell
 * @param refusalNanos     what a MAP took that was answered with {@code NOMEM}
 * @param refusalAllocated heap bytes that a quota of refused MAPs allocated, the least of five
 */
record QuotaRound(List<MemorySample> memory, double alone, double besideFill, double besideRefusals,
        double besideUnmap, double mapNanos, double refusalNanos, long refusalAllocated) {
}
