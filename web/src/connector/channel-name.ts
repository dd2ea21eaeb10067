/** `attribute segops_segment_7`, `subscription group 6f1a…`. */
export function channelName(channel: string): string {
  const at = channel.indexOf(":");
  return `${channel.slice(0, at).replaceAll("_", " ")} ${channel.slice(at + 1)}`;
}
