// SPDX-License-Identifier: Apache-2.0

/**
 * Parts of a guest that come from Debian's packages: the script {@code build/fetch-guest} fetches and unpacks them into
 * the cache folder, and the classes here find their way around in there.
 */
@NullMarked
package org.virtio4j.harness.fetch;

import org.jspecify.annotations.NullMarked;
