# The guide's query, unmodified but for the host's name and the session's id.
curl --silent --request POST \
  --url $HOST/v1/request/query \
  --header "Content-Type: application/json" \
  --header "authorization: Bearer $HELICONE_API_KEY" \
  --data '{
    "limit": 100,
    "offset": 0,
    "sort_by": {
      "key": "request_created_at",
      "direction": "asc"
    },
    "filter": {
      "properties": {
        "Helicone-Session-Id": {
          "equals": "<session-id>"
        }
      }
    }
  }'
