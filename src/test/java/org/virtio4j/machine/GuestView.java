// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.Optional;

/** What a guest makes of one form of a topology. */
@FunctionalInterface
interface GuestView {

    /** Which endpoint a device is, by what the guest was told. */
    Optional<EndpointId> endpoint(Location device);
}
