/** Full duty, as the wire and Johnny-Five count it. */
export const dutyMax = 255
