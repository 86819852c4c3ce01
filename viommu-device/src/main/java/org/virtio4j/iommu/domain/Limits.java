// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

/**
 * How much a driver can have; what is beyond gets NOMEM.
 *
 * @param domains           most domains at a time
 * @param mappings          most mappings in all domains together
 * @param mappingsPerDomain most mappings in one domain
 */
public record Limits(int domains, long mappings, long mappingsPerDomain) {
}
