// SPDX-License-Identifier: Apache-2.0

/** The program behind {@code virtio4j guest}, {@code serve}, {@code replay} and smaller commands. */
module org.virtio4j.launcher {
    requires static org.jspecify;
    requires org.virtio4j.command;
    requires org.virtio4j.harness;
    requires org.virtio4j.replay;
    requires org.virtio4j.serving;
    requires org.virtio4j.trace;
}
