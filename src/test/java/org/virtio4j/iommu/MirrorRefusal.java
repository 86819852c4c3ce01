// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Set;

/** What a host that mirrors the mappings of some endpoints refuses of the next request. */
final class MirrorRefusal {

    /** The number of the call, from 1; 0 for none. */
    int call;

    /** What the driver gets, if a refusal is possible. */
    int status;
    Set<Integer> endpoints = Set.of();
}
