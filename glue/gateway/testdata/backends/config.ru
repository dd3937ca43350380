# A Rack application that reports what it is told about a request.
require 'digest'
require 'json'

def text(value)
  value.dup.force_encoding('BINARY').encode('UTF-8', invalid: :replace, undef: :replace)
end

use Rack::MethodOverride

run(lambda do |env|
  body = env['rack.input'].read.to_s
  told = env.select { |_, value| value.is_a?(String) }.to_h { |name, value| [text(name), text(value)] }
  line = JSON.generate(env: told, length: body.bytesize, sha256: Digest::SHA256.hexdigest(body))
  File.open(ENV.fetch('BACKEND_SEEN'), 'ab') { |seen| seen.write(line + "\n") }
  [200, { 'Content-Type' => 'application/json', 'Content-Length' => line.bytesize.to_s }, [line]]
end)
