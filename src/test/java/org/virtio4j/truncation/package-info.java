// SPDX-License-Identifier: Apache-2.0
/** Guest memory that another process cuts short while devices use it. */
package org.virtio4j.truncation;
